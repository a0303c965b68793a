import BridgeCore
import BridgeMCP
import NIOCore

// What `--everything` adds: prompts, resources, completion.

extension DemoSession {
    mutating func answerMore(_ request: DemoRequest, now: Instant) {
        guard let everything = self.everything else { return self.refuseMethod(request) }
        switch request.message.method {
        case "prompts/list":
            self.succeed(request, DemoPrompt.list(for: request.revision, hasExtra: everything.hasExtraPrompt))
        case "prompts/get": self.getPrompt(request)
        case "resources/list":
            guard let page = everything.resources.list(cursor: request.parameter("cursor")?.string) else {
                return self.refuse(request, -32602, "No such cursor.")
            }
            self.succeed(request, page)
        case "resources/templates/list": self.succeed(request, DemoResources.templateList)
        case "resources/read": self.read(request)
        case "resources/subscribe": self.subscribe(request)
        case "resources/unsubscribe":
            self.everything?.resources.unsubscribe(request.parameter("uri")?.string ?? "")
            self.succeed(request, .emptyObject)
        case "completion/complete": self.complete(request)
        default: self.answerTasks(request, now: now)
        }
    }

    private mutating func getPrompt(_ request: DemoRequest) {
        let name = request.message.name.flatMap { request.message.text[$0].string } ?? ""
        guard let prompt = DemoPrompt(rawValue: name), prompt != .extra || self.everything?.hasExtraPrompt == true
        else { return self.refuse(request, -32602, "Unknown prompt: \(name)") }
        guard let result = prompt.get(request.parameter("arguments") ?? .emptyObject, for: request.revision) else {
            return self.refuse(request, -32602, "The argument 'name' is missing.")
        }
        self.succeed(request, result)
    }

    private mutating func read(_ request: DemoRequest) {
        let uri = request.parameter("uri")?.string ?? ""
        guard let contents = self.everything?.resources.read(uri) else { return self.refuseResource(request, uri) }
        self.succeed(request, contents)
    }

    private mutating func subscribe(_ request: DemoRequest) {
        let uri = request.parameter("uri")?.string ?? ""
        guard self.everything?.resources.subscribe(uri) == true else { return self.refuseResource(request, uri) }
        self.succeed(request, .emptyObject)
    }

    /// Server/resources, "Error Handling".
    private mutating func refuseResource(_ request: DemoRequest, _ uri: String) {
        let data = JSONWriter.object { $0.member("uri", uri) }
        self.send(RPCReply.error(id: request.id.bytes, code: -32002, message: "Resource not found", data: data))
    }

    private mutating func complete(_ request: DemoRequest) {
        guard let reference = request.parameter("ref"), let argument = request.parameter("argument"),
            let result = DemoCompletion.complete(
                reference, argument: argument.string("name") ?? "", value: argument.string("value") ?? "",
                context: request.parameter("context")?.value("arguments")
            )
        else { return self.refuse(request, -32602, "There is nothing to complete.") }
        self.succeed(request, result)
    }

    // MARK: Changes

    /// Adds an entry to a list, or takes it out again.
    mutating func change(_ list: String) {
        switch list {
        case "prompts": self.everything?.hasExtraPrompt.toggle()
        case "resources": self.everything?.resources.hasExtra.toggle()
        default: self.everything?.hasExtraTool.toggle()
        }
        self.notify("notifications/\(list)/list_changed", nil)
    }

    /// Says that a resource has changed, to a client that wants to know.
    ///
    /// - Returns: whether it was said.
    mutating func touch(_ uri: String) -> Bool {
        guard self.everything?.resources.touch(uri) == true else { return false }
        self.notify("notifications/resources/updated", JSONWriter.object { $0.member("uri", uri) })
        return true
    }

    mutating func notify(_ method: String, _ params: JSONText?) {
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", method)
            message.member("params", ifPresent: params)
        }
        self.send(message.bytes)
    }
}
