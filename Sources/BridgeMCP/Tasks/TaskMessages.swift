package import BridgeCore
package import NIOCore

/// Finds the ids of tasks in messages, wherever MCP puts them, and puts others in their place. Every other byte stays.
///
/// It does not matter which side a message comes from: ids stand in the same places.
package enum TaskMessages {
    /// What says in `_meta` that a message belongs to a task.
    package static let relation: StaticString = "io.modelcontextprotocol/related-task"

    /// The longest that a task may be asked to be kept, and is said to be, in milliseconds.
    package static let maximumTTL = Int(TaskClaims.lifetime) * 1_000

    // MARK: What a message says

    /// The task that the answer to a call tells of.
    package static func created(_ response: ByteBuffer) -> TaskState? {
        JSONText(trusting: response).value("result")?.value("task").flatMap(TaskState.init)
    }

    /// The task that a result, or the parameters of a notification, is.
    package static func state(_ message: ByteBuffer) -> TaskState? {
        let text = JSONText(trusting: message)
        return (text.value("result") ?? text.value("params")).flatMap(TaskState.init)
    }

    /// The task that a request, a notification or an answer says that it belongs to.
    package static func related(_ message: JSONText) -> String? {
        guard let whole = message.value("params") ?? message.value("result") else { return nil }
        return whole.value("_meta")?.value(self.relation)?.string("taskId")
    }

    // MARK: Other ids

    /// Puts other ids in the place of those in a message: a request, a notification, a result. This is all that is to be
    /// done to a question of a server that belongs to a task, to its answer, and to requests about tasks.
    ///
    /// - Parameter other: gives the id that stands for one. Where it gives none, a message that only relates to the task
    ///   does so no more; elsewhere the id stays as it is.
    package static func mapped(_ message: ByteBuffer, _ other: (String) -> String?) -> ByteBuffer {
        self.changed(message, isForClient: false, other)
    }

    /// The same for a message that goes to a client: no task is said to be kept for longer than ``maximumTTL``.
    package static func told(_ message: ByteBuffer, _ other: (String) -> String?) -> ByteBuffer {
        self.changed(message, isForClient: true, other)
    }

    /// The answer to `tasks/result`, for a client: it says to which task it belongs, even where its server forgot.
    package static func toldResult(_ response: ByteBuffer, of id: String, as name: String) -> ByteBuffer {
        let text = JSONText(trusting: self.told(response) { $0 == id ? name : nil })
        guard let result = text.member("result"), result.kind == .object, self.related(text) == nil else {
            return text.bytes
        }
        return self.relating(text, result, to: name).bytes
    }

    /// A notification with something replaced in it, and with the word that it belongs to a task, where that is missing.
    package static func related(
        _ notification: JSONText, to id: String, replacing span: JSONSpan, with replacement: ByteBuffer
    ) -> JSONText {
        let text = notification.replacing(span, with: replacement)
        guard self.related(text) == nil, let params = text.member("params"), params.kind == .object else { return text }
        return self.relating(text, params, to: id)
    }

    private static func relating(_ text: JSONText, _ whole: JSONSpan, to id: String) -> JSONText {
        let relation = JSONWriter.object { $0.member("taskId", id) }
        if let meta = text.member("_meta", in: whole), meta.kind == .object {
            return text.inserting("\(self.relation)", relation, into: meta)
        }
        let meta = JSONWriter.object { $0.member("\(self.relation)", relation) }
        return text.inserting("_meta", meta, into: whole)
    }

    private static func changed(
        _ message: ByteBuffer, isForClient: Bool, _ other: (String) -> String?
    ) -> ByteBuffer {
        let text = JSONText(trusting: message)
        var edits: [(JSONSpan, ByteBuffer)] = []
        func lookAtTask(_ task: JSONSpan) {
            guard let id = text.member("taskId", in: task), let own = text[id].string else { return }
            if let name = other(own) { edits.append((id, JSONText(name).bytes)) }
            guard isForClient, text.member("status", in: task) != nil, let ttl = text.member("ttl", in: task) else {
                return
            }
            let isBeyond = ttl.kind == .null || (text[ttl].double.map { $0 > Double(self.maximumTTL) } ?? false)
            if isBeyond { edits.append((ttl, JSONText(self.maximumTTL).bytes)) }
        }
        func lookAtRelation(_ whole: JSONSpan) {
            guard let meta = text.member("_meta", in: whole), let relation = text.member(self.relation, in: meta)
            else { return }
            if let id = text.member("taskId", in: relation), let name = text[id].string.flatMap(other) {
                edits.append((id, JSONText(name).bytes))
            } else {
                edits.append((meta, text[meta].without(self.relation).bytes))
            }
        }
        for whole in [text.member("params"), text.member("result")].compactMap({ $0 }) where whole.kind == .object {
            lookAtTask(whole)
            lookAtRelation(whole)
        }
        if let result = text.member("result"), result.kind == .object {
            if let task = text.member("task", in: result) { lookAtTask(task) }
            if let tasks = text.member("tasks", in: result) { text.elements(in: tasks, lookAtTask) }
        }
        guard !edits.isEmpty else { return message }
        var changed = ByteBuffer()
        text.write(to: &changed, replacing: edits.sorted { $0.0.lowerBound < $1.0.lowerBound })
        return changed
    }

    // MARK: Requests that make tasks

    /// A call that asks for its task to be kept for longer than anything is; nil for any other.
    package static func bounded(_ call: RPCMessage) -> JSONText? {
        guard let task = call.task, let ttl = call.text.member("ttl", in: task), ttl.kind == .number,
            (call.text[ttl].double ?? .infinity) > Double(self.maximumTTL)
        else { return nil }
        return call.text.replacing(ttl, with: JSONText(self.maximumTTL).bytes)
    }

    /// A plain call, made one that is to run as a task.
    package static func asTask(_ call: RPCMessage, ttl: Int) -> JSONText? {
        guard let params = call.params else { return nil }
        return call.text.inserting("task", JSONWriter.object { $0.member("ttl", ttl) }, into: params)
    }

    /// A request that is to run as a task, made a plain one.
    package static func asCall(_ call: RPCMessage) -> JSONText? {
        call.params.map { call.text.replacing($0, with: call.text[$0].without("task").bytes) }
    }
}

extension JSONText {
    /// This text with a member put in front of those of an object in it.
    fileprivate func inserting(_ name: String, _ value: JSONText, into object: JSONSpan) -> JSONText {
        var isEmpty = true
        self.members(in: object) { _, _ in isEmpty = false }
        var member = JSONText(name).bytes
        member.writeStaticString(":")
        member.writeImmutableBuffer(value.bytes)
        if !isEmpty { member.writeStaticString(",") }
        let start = object.lowerBound + 1
        return self.replacing(JSONSpan(lowerBound: start, upperBound: start, kind: object.kind), with: member)
    }
}
