package import BridgeCore
package import NIOCore

/// The tools of all upstreams under their public names: made once when an upstream's list changes, read for every call.
package struct ToolCatalogue: Sendable {
    /// Where a public name leads.
    package struct Tool: Sendable {
        /// Place of the upstream in the configuration.
        package let upstream: Int
        package let names: ToolNames
        /// The upstream's own name, decoded, and as the JSON string that goes into a call.
        package let ownName: String
        package let ownNameJSON: ByteBuffer
        /// Whether its annotations say that calling it twice does no harm. A hint: acted on only where the operator asked.
        package let hintsRepeatable: Bool
        fileprivate let text: JSONText
        fileprivate let nameSpan: JSONSpan
    }

    /// What one upstream contributes.
    package struct Source: Sendable {
        package var name: String
        package var prefix: String
        package var filter: NameFilter
        /// The upstream's tools in its own order, as it wrote them; nil when they have never been listed.
        package var tools: [JSONText]?

        package init(name: String, prefix: String, filter: NameFilter, tools: [JSONText]?) {
            self.name = name
            self.prefix = prefix
            self.filter = filter
            self.tools = tools
        }
    }

    /// A name that two tools wanted. The first in the configuration has it.
    package struct Collision: Sendable, Hashable {
        package let name: String
        package let kept: String
        package let refused: String
    }

    /// Sorted by their dotted names.
    package let tools: [Tool]
    package let collisions: [Collision]
    /// The JSON arrays that `tools/list` answers, in both spellings, each sorted by what it shows.
    package let dotList: ByteBuffer
    package let safeList: ByteBuffer
    private let bySafeName: [Tool]
    private let byName: [String: Int]

    package static let empty = ToolCatalogue(sources: [], separator: ".")

    /// Merges what the upstreams list. A tool without a name of its own, or with one that is taken, is left out.
    package init(sources: [Source], separator: String) {
        var tools: [Tool] = []
        var owners: [String: Int] = [:]
        var collisions: [Collision] = []
        for (index, source) in sources.enumerated() {
            for text in source.tools ?? [] {
                guard let tool = Tool(text, upstream: index, source: source, separator: separator) else { continue }
                if let owner = owners[tool.names.dot] ?? owners[tool.names.safe] {
                    collisions.append(
                        Collision(name: tool.names.dot, kept: sources[tools[owner].upstream].name, refused: source.name)
                    )
                    continue
                }
                owners[tool.names.dot] = tools.count
                owners[tool.names.safe] = tools.count
                tools.append(tool)
            }
        }
        tools.sort { $0.names.dot < $1.names.dot }
        self.tools = tools
        self.collisions = collisions
        self.dotList = Self.render(tools, \.dot)
        self.bySafeName = tools.sorted { $0.names.safe < $1.names.safe }
        self.safeList = Self.render(self.bySafeName, \.safe)
        var byName: [String: Int] = [:]
        byName.reserveCapacity(tools.count * 2)
        for (index, tool) in tools.enumerated() {
            byName[tool.names.dot] = index
            byName[tool.names.safe] = index
        }
        self.byName = byName
    }

    /// The tool of a public name, in either spelling.
    package subscript(name: String) -> Tool? { self.byName[name].map { self.tools[$0] } }

    /// The JSON array of a part of the list.
    package func page(_ range: Range<Int>, safe: Bool) -> ByteBuffer {
        let sorted = safe ? self.bySafeName : self.tools
        return Self.render(sorted[range.clamped(to: 0..<sorted.count)], safe ? \.safe : \.dot)
    }

    private static func render(_ tools: some Sequence<Tool>, _ spelling: KeyPath<ToolNames, String>) -> ByteBuffer {
        var list = ByteBuffer()
        var separator: StaticString = "["
        for tool in tools {
            list.writeStaticString(separator)
            var name = ByteBuffer()
            name.writeJSONString(tool.names[keyPath: spelling])
            tool.text.write(to: &list, replacing: tool.nameSpan, with: name)
            separator = ","
        }
        list.writeStaticString(list.readableBytes == 0 ? "[]" : "]")
        return list
    }
}

extension ToolCatalogue.Tool {
    fileprivate init?(_ text: JSONText, upstream: Int, source: ToolCatalogue.Source, separator: String) {
        guard let span = Self.name(in: text), let own = text[span].string, !own.isEmpty,
            let shown = source.filter.shownName(of: own)
        else { return nil }
        let annotations = text.value("annotations")
        self.upstream = upstream
        self.names = ToolNames(prefix: source.prefix, separator: separator, name: shown)
        self.ownName = own
        self.ownNameJSON = text[span].bytes
        self.hintsRepeatable =
            annotations?.bool("readOnlyHint") == true || annotations?.bool("idempotentHint") == true
        self.text = text
        self.nameSpan = span
    }

    /// The one member `name`. A tool with two of them could show a name that is another upstream's.
    private static func name(in text: JSONText) -> JSONSpan? {
        var names: [JSONSpan] = []
        text.members { key, value in if key == "name" { names.append(value) } }
        return names.count == 1 ? names[0] : nil
    }
}
