import BridgeFiles
import BridgeProcess
import Glibc
import Testing

@testable import BridgeSupervisor

@Suite("Where a browser comes back to") struct SignInRedirectTests {
    private static let redirects = ["http://localhost:8770/callback", "https://b.example/oauth/callback"]

    @Test func `the receiver on this machine is taken, and the front where its port is another's`() {
        let choice = SignInRedirect.choose(nil, among: Self.redirects)
        #expect(choice == SignInRedirect(redirect: Self.redirects[0], port: 8_770, otherwise: Self.redirects[1]))
    }

    @Test func `whoever asks for one of them gets that or none`() {
        #expect(SignInRedirect.choose("local", among: Self.redirects).otherwise == nil)
        let front = SignInRedirect(redirect: Self.redirects[1], port: nil, otherwise: nil)
        #expect(SignInRedirect.choose("front", among: Self.redirects) == front)
        #expect(SignInRedirect.choose(Self.redirects[1], among: Self.redirects) == front)
    }

    /// A port that was free a moment ago.
    private func freePort() throws -> Int {
        let descriptor = try TCPListener.bind(host: "127.0.0.1", port: 0)
        defer { close(descriptor) }
        return Int(try TCPListener.port(of: descriptor))
    }

    @Test func `a receiver is open as long as one sign-in waits for it`() throws {
        let receivers = SignInReceivers()
        let port = try self.freePort()
        let first = try receivers.begin("a", port: port)
        #expect(first.opened != nil)
        let second = try receivers.begin("b", port: port)
        #expect(second.opened == nil, "it is open already")
        #expect(receivers.end(first.wait) == nil, "the other one still waits")
        #expect(receivers.end(second.wait) == port)
        #expect(receivers.end(second.wait) == nil, "that is said once")
        #expect(receivers.closed(port) == nil)
        #expect(receivers.open.isEmpty)
        close(try TCPListener.bind(host: "127.0.0.1", port: UInt16(port)))
    }

    @Test func `a sign-in that begins while the front closes is not lost`() throws {
        let receivers = SignInReceivers()
        let port = try self.freePort()
        let first = try receivers.begin("a", port: port)
        #expect(receivers.end(first.wait) == port)
        let second = try receivers.begin("a", port: port)
        #expect(second.opened == nil)
        #expect(receivers.closed(port) != nil, "the front has to open it again")
        #expect(receivers.end(second.wait) == port)
        #expect(receivers.closed(port) == nil)
    }

    @Test func `a port of somebody else is not taken`() throws {
        let descriptor = try TCPListener.bind(host: "127.0.0.1", port: 0)
        defer { close(descriptor) }
        let port = Int(try TCPListener.port(of: descriptor))
        #expect(throws: SystemCallError.self) { try SignInReceivers().begin("a", port: port) }
    }
}
