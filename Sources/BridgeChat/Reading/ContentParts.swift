import BridgeCore

/// Reads content as OpenAI's two dialects write it: a string, or an array of parts.
enum ContentParts {
    static let maximum = 10_000

    /// - Parameters:
    ///   - path: where the content stands, for errors.
    ///   - name: what it is called where it is ignored.
    /// - Returns: no empty text.
    static func read(
        _ content: JSONText, at path: String, as name: String, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatContent] {
        if let text = content.string { return text.isEmpty ? [] : [.text(text)] }
        guard content.kind == .array else { throw .invalid(path, "a string or an array of parts is expected") }
        let parts = try MemberReader.elements(of: content, atMost: Self.maximum, at: path)
        var result: [ChatContent] = []
        for (index, part) in parts.enumerated() {
            if let text = part.string {
                if !text.isEmpty { result.append(.text(text)) }
                continue
            }
            var members = try MemberReader(part, at: "\(path)[\(index)]")
            guard let content = try Self.part(&members, remarks: &remarks) else { continue }
            result.append(content)
            members.discard("cache_control", "prompt_cache_breakpoint", "logprobs")
            for word in ["annotations", "citations"] {
                guard let value = try members.take(word) else { continue }
                if value.kind != .array || !value.elementTexts.isEmpty { remarks.ignore("\(name).\(word)") }
            }
            if try members.string("detail").map({ $0 != "auto" }) ?? false { remarks.ignore("\(name).detail") }
            members.ignoreRest(as: name, in: &remarks)
        }
        return result
    }

    /// nil for an empty text.
    private static func part(_ members: inout MemberReader, remarks: inout ChatRemarks) throws(ChatFault)
        -> ChatContent?
    {
        let type = try members.requiredString("type")
        switch type {
        case "text", "input_text", "output_text", "summary_text":
            let text = try members.requiredString("text")
            return text.isEmpty ? nil : .text(text)
        case "refusal":
            let text = try members.requiredString("refusal")
            return text.isEmpty ? nil : .text(text)
        case "image_url", "input_image": return .image(try Self.image(&members, remarks: &remarks))
        case "input_audio":
            guard let audio = try members.take("input_audio") else {
                throw .invalid(members.path("input_audio"), "it is missing")
            }
            return .audio(try MediaReading.audio(audio, at: members.path("input_audio")))
        case "file":
            guard var file = try members.reader("file") else { throw .invalid(members.path("file"), "it is missing") }
            return try Self.file(&file, remarks: &remarks)
        case "input_file": return try Self.file(&members, remarks: &remarks)
        default:
            guard let text = try members.string("text") else {
                throw .unsupported(
                    members.path("type"), "a part of the type \(ChatFault.quoted(type)) cannot be passed on")
            }
            remarks.approximate("content.\(type)")
            return text.isEmpty ? nil : .text(text)
        }
    }

    /// `image_url` is an object with a URL, or the URL.
    private static func image(_ members: inout MemberReader, remarks: inout ChatRemarks) throws(ChatFault) -> ChatMedia
    {
        if try members.take("file_id") != nil {
            throw .unsupported(members.path("file_id"), "no files are kept here; send the image as a data: URL")
        }
        guard let image = try members.take("image_url") else {
            throw .invalid(members.path("image_url"), "it is missing")
        }
        guard image.kind == .object else { return try MediaReading.image(url: image, at: members.path("image_url")) }
        var object = try MemberReader(image, at: members.path("image_url"))
        guard let url = try object.take("url") else { throw .invalid(object.path("url"), "it is missing") }
        if try object.string("detail").map({ $0 != "auto" }) ?? false { remarks.ignore("image_url.detail") }
        return try MediaReading.image(url: url, at: object.path("url"))
    }

    private static func file(_ members: inout MemberReader, remarks: inout ChatRemarks) throws(ChatFault)
        -> ChatContent?
    {
        for name in ["file_id", "file_url"] where try members.take(name) != nil {
            throw .unsupported(members.path(name), "nothing is fetched, and no files are kept; send the text itself")
        }
        members.discard("filename")
        guard let data = try members.take("file_data") else {
            throw .invalid(members.path("file_data"), "it is missing")
        }
        remarks.approximate("content.file")
        let text = try MediaReading.text(fileData: data, at: members.path("file_data"))
        return text.isEmpty ? nil : .text(text)
    }
}
