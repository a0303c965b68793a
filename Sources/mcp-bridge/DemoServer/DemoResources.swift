import BridgeCore
import BridgeMCP

/// The resources of the demo server, with `--everything`: 25 notes, a picture, and what two templates make.
struct DemoResources {
    static let templates = ["demo://numbers/{number}", "demo://paths/{+path}"]
    private static let notes = 25
    private static let pageSize = 10

    private(set) var subscribed: Set<String> = []
    /// How often each has been touched.
    private var touches: [String: Int] = [:]
    var hasExtra = false

    private var listed: [(uri: String, name: String, type: String)] {
        let notes = (1...Self.notes).map { ("demo://notes/\($0)", "note \($0)", "text/plain") }
        return notes + [("demo://picture", "picture", "image/png")]
            + (self.hasExtra ? [("demo://extra", "extra", "text/plain")] : [])
    }

    /// The result of `resources/list`; nil where there is no such page.
    func list(cursor: String?) -> JSONText? {
        let all = self.listed
        let start = cursor.map { Int($0) ?? -1 } ?? 0
        guard start >= 0, start < all.count else { return nil }
        let end = min(start + Self.pageSize, all.count)
        return JSONWriter.object { result in
            result.memberArray("resources") { resources in
                for (uri, name, type) in all[start..<end] {
                    resources.object {
                        $0.member("uri", uri)
                        $0.member("name", name)
                        $0.member("mimeType", type)
                    }
                }
            }
            if end < all.count { result.member("nextCursor", "\(end)") }
        }
    }

    /// The result of `resources/templates/list`.
    static let templateList = JSONWriter.object { result in
        result.memberArray("resourceTemplates") { list in
            for (template, name) in zip(Self.templates, ["numbers", "paths"]) {
                list.object {
                    $0.member("uriTemplate", template)
                    $0.member("name", name)
                    $0.member("mimeType", "text/plain")
                }
            }
        }
    }

    /// The result of `resources/read`; nil for what there is not.
    func read(_ uri: String) -> JSONText? {
        if uri == "demo://picture" { return Self.contents(uri, "image/png", "blob", DemoContent.png) }
        guard let text = self.text(of: uri) else { return nil }
        return Self.contents(uri, "text/plain", "text", text)
    }

    private func text(of uri: String) -> String? {
        if uri == "demo://handed-out" || uri == "demo://embedded" { return "No list has this." }
        if let number = uri.dropping("demo://numbers/").flatMap({ Int($0) }) {
            return "\(number) squared is \(number.multipliedReportingOverflow(by: number).partialValue)."
        }
        if let path = uri.dropping("demo://paths/") { return "The path is \(path)." }
        guard self.listed.contains(where: { $0.uri == uri }) else { return nil }
        return "This is \(uri). It was touched \(self.touches[uri] ?? 0) times."
    }

    private static func contents(_ uri: String, _ type: String, _ member: String, _ content: String) -> JSONText {
        JSONWriter.object { result in
            result.memberArray("contents") { contents in
                contents.object {
                    $0.member("uri", uri)
                    $0.member("mimeType", type)
                    $0.member(member, content)
                }
            }
        }
    }

    mutating func subscribe(_ uri: String) -> Bool {
        guard self.read(uri) != nil else { return false }
        self.subscribed.insert(uri)
        return true
    }

    mutating func unsubscribe(_ uri: String) { self.subscribed.remove(uri) }

    /// Changes a resource.
    ///
    /// - Returns: whether the client wants to hear of it.
    mutating func touch(_ uri: String) -> Bool {
        self.touches[uri, default: 0] += 1
        return self.subscribed.contains(uri)
    }
}

extension String {
    /// What follows a beginning.
    fileprivate func dropping(_ prefix: String) -> Substring? {
        self.hasPrefix(prefix) ? self.dropFirst(prefix.count) : nil
    }
}
