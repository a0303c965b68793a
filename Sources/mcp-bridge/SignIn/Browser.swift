import BridgeHTTPClient
import BridgeProcess
import Glibc

/// Opens a page in the person's browser, where there is one.
///
/// The address comes from a server. It is handed to `xdg-open` as one argument, never to a shell, and only when it is an
/// address that a browser may be given: https, or http on this machine, in plain characters.
enum Browser {
    static func mayOpen(_ url: String) -> Bool {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }),
            let address = HTTPAddress(url)
        else { return false }
        return address.isPrivateToSend
    }

    /// Whether a browser could be shown here: of a machine without a screen there is none.
    static func isAtHand(_ environment: [String: String]) -> Bool {
        ["DISPLAY", "WAYLAND_DISPLAY"].contains { environment[$0]?.isEmpty == false }
    }

    /// - Returns: whether it was started; whether a page is seen, only the person knows.
    static func open(_ url: String, environment: [String: String]) -> Bool {
        guard self.mayOpen(url), self.isAtHand(environment),
            let opener = try? ExecutableLookup.find("xdg-open", path: environment["PATH"], workingDirectory: nil)
        else { return false }
        return ShortCommand.leave(
            opener, [url],
            environment: environment.filter { !$0.key.hasPrefix("MCP_BRIDGE_") && !$0.key.hasPrefix("OP_") })
    }
}
