import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

// Requests about what is found by its URI, and completions.

extension CallDesk {
    /// Passes a request on to whoever may have the resource that it names, one after the other.
    func forward(_ request: PendingRequest, resource uri: String, mayWait: Bool) {
        let upstreams = self.resources.upstreams(for: uri, of: request.caller)
        guard let first = upstreams.first else {
            guard mayWait else {
                return request.refuse(self.directory.unknown(uri, of: .resources, for: request.caller.view))
            }
            return self.wait(request, for: uri, of: .resources) {
                self.forward(request, resource: uri, mayWait: false)
            }
        }
        self.send(
            request,
            along: CallRoute(
                to: first, called: uri, timeout: first.route.callTimeout, mayRepeat: request.method.onlyReads,
                with: CallExtras(others: upstreams.dropFirst(), uri: uri)),
            now: mayWait ? request.now : .now())
    }

    /// Passes a completion on to the server that has what it completes (server/utilities/completion).
    func complete(_ request: PendingRequest, mayWait: Bool = true) {
        let reference = request.message.param("ref").map { request.message.text[$0] }
        guard let reference, reference.kind == .object else { return request.refuse(.invalidParams("ref is required")) }
        // Of a member that is there twice the server may take the other one, and get around a filter.
        guard !Self.repeats("ref", in: request.message.params.map { request.message.text[$0] }),
            !["type", "name", "uri"].contains(where: { Self.repeats($0, in: reference) })
        else { return request.refuse(.invalidParams("a member of ref is there twice")) }
        let isPrompt = reference.string("type") == "ref/prompt"
        guard isPrompt || reference.string("type") == "ref/resource",
            let name = reference.string(isPrompt ? "name" : "uri")
        else { return request.refuse(.invalidParams("ref names neither a prompt nor a resource")) }
        let offering: Offering = isPrompt ? .prompts : .templates
        let entry = isPrompt ? self.directory.find(name, of: .prompts, for: request.caller.view) : nil
        let owners = isPrompt ? [entry?.upstream].compactMap { $0 } : self.owners(ofReference: name, request.caller)
        guard !owners.isEmpty else {
            guard mayWait else {
                return request.refuse(self.directory.unknown(name, of: offering, for: request.caller.view))
            }
            return self.wait(request, for: name, of: offering) {
                self.complete(request, mayWait: false)
            }
        }
        // A server that says nothing of completions has none, and need not be asked.
        let upstreams = owners.filter { $0.capabilities.member("completions") != nil }
        guard let first = upstreams.first else {
            return request.succeed(JSONText(literal: #"{"completion":{"values":[],"hasMore":false}}"#))
        }
        self.send(
            request,
            along: CallRoute(
                to: first, called: name, named: entry?.entry.ownNameJSON, timeout: first.route.callTimeout,
                mayRepeat: true, with: CallExtras(others: upstreams.dropFirst(), uri: isPrompt ? nil : name)),
            now: mayWait ? request.now : .now())
    }

    private static func repeats(_ member: String, in object: JSONText?) -> Bool {
        var count = 0
        object?.members { key, _ in if key.string == member { count += 1 } }
        return count > 1
    }

    /// A reference may be a template, or a resource as it stands.
    private func owners(ofReference uri: String, _ caller: Caller) -> [UpstreamLink] {
        let owners = self.resources.upstreams(ofTemplate: uri, of: caller)
        return owners.isEmpty ? self.resources.upstreams(for: uri, of: caller) : owners
    }
}
