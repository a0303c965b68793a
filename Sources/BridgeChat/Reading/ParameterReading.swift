import BridgeCore

/// Reads what all dialects have, under whatever name.
enum ParameterReading {
    /// The model's name. Answers, headers, errors, logs and rows of the audit repeat it.
    static func model(_ body: inout MemberReader) throws(ChatFault) -> String {
        let name = try body.requiredString("model")
        guard name.utf8.count <= ChatRequest.maximumModel else {
            throw .invalid(body.path("model"), "at most \(ChatRequest.maximumModel) bytes are accepted")
        }
        return name
    }

    /// A limit on tokens under one of several names; the smallest counts.
    static func maximumTokens(_ body: inout MemberReader, _ names: String...) throws(ChatFault) -> Int? {
        var limit: Int?
        for name in names {
            guard let value = try body.integer(name) else { continue }
            guard value > 0 else { throw .invalid(body.path(name), "it must be positive") }
            limit = min(limit ?? value, value)
        }
        return limit
    }

    static func temperature(_ body: inout MemberReader) throws(ChatFault) -> Double? {
        guard let value = try body.number("temperature") else { return nil }
        guard (0...2).contains(value) else { throw .invalid(body.path("temperature"), "it must be from 0 to 2") }
        return value
    }

    /// Stop sequences: a string, or an array of them. An empty one would stop everything, and is ignored.
    static func stopSequences(
        _ body: inout MemberReader, _ name: String, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [String] {
        let path = body.path(name)
        guard let value = try body.take(name) else { return [] }
        guard value.kind == .string || value.kind == .array else {
            throw .invalid(path, "a string or an array of strings is expected")
        }
        let elements =
            value.kind == .string
            ? [value] : try MemberReader.elements(of: value, atMost: ChatRequest.maximumStopSequences, at: path)
        var sequences: [String] = []
        for element in elements {
            guard let sequence = element.string else { throw .invalid(path, "a string is expected") }
            guard sequence.utf8.count <= ChatRequest.maximumStopSequence else {
                throw .invalid(path, "at most \(ChatRequest.maximumStopSequence) bytes each are accepted")
            }
            if sequence.isEmpty { remarks.ignore(name) } else { sequences.append(sequence) }
        }
        return sequences
    }

    /// A schema for the answer.
    static func schema(_ members: inout MemberReader) throws(ChatFault) -> AnswerFormat {
        let name = try members.string("name")
        let description = try members.string("description")
        let isStrict = try members.bool("strict") ?? false
        guard let schema = try members.object("schema") else { return .json }
        return .schema(AnswerFormat.Schema(name: name, description: description, schema: schema, isStrict: isStrict))
    }

    /// Keeps what nobody has taken, and lists it where it asks for anything.
    ///
    /// - Parameter except: names with the value that asks for nothing.
    static func keepRest(
        _ body: MemberReader, in request: inout ChatRequest, except idle: KeyValuePairs<String, JSONText> = [:]
    ) {
        for (name, value) in body.rest {
            request.extras.append(ChatExtra(name: name, value: value))
            if !idle.contains(where: { $0.key == name && $0.value == value }) { request.remarks.ignore(name) }
        }
    }

    /// Refuses members that ask for what cannot be done, unless they ask for nothing.
    static func refuse(
        _ body: inout MemberReader, _ name: String, because reason: String,
        unless isIdle: (JSONText) -> Bool = { _ in false }
    ) throws(ChatFault) {
        guard let value = try body.take(name), !isIdle(value) else { return }
        throw .unsupported(body.path(name), reason)
    }
}
