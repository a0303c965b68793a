import BridgeCore
import BridgeMCP
import NIOCore

extension Router {
    /// The first page of a list of tools as somebody sees it who lends a model: with `hook`, unless a server has a tool that
    /// is shown under this name.
    func withHook(_ response: ByteBuffer, _ offering: Offering, _ request: PendingRequest) -> ByteBuffer {
        guard offering == .tools, self.broker.isSource(request.caller), !self.isLaterPage(request),
            self.directory.find(HookTool.name, of: .tools, for: request.caller.view) == nil
        else { return response }
        return HookTool.added(to: response)
    }

    private func isLaterPage(_ request: PendingRequest) -> Bool {
        request.message.param("cursor").map { request.message.text[$0].kind != .null } ?? false
    }
}
