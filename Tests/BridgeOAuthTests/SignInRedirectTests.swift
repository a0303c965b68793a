import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

@Suite("A browser comes back") struct SignInRedirectTests {
    private static let state = SignInState.make(random: "random", upstream: "github")
    private static let back = "code=c&state=\(SignInRedirectTests.state)"

    @Test func `a redirect is redeemed once, and who comes with it again is told so`() throws {
        var scene = Scene()
        _ = try scene.invited()
        let first = scene.signIn.redirected(Self.back, record: scene.record, now: scene.now)
        let begun = try #require(first.0)
        #expect(begun == .keep(.redeeming(attempt: Self.state)) && scene.signIn.isFinishing)
        let second = scene.signIn.redirected(Self.back, record: scene.record, now: scene.now)
        #expect(second.0 == nil && second.1.contains("used already"))
        guard case .done = scene.run(begun) else { return #expect(Bool(false)) }
        #expect(scene.asked.filter { $0.url == "https://as.example/token" }.count == 1)
    }

    @Test func `a redirect that an earlier life has shown to somebody is shown to nobody again`() throws {
        var first = Scene()
        _ = try first.invited()
        RecordChange.redeeming(attempt: Self.state).apply(to: &first.record, now: first.now.wall)
        let text = first.record.json.description
        let kept = try OAuthRecord(
            reading: ByteBuffer(string: text), upstream: "github", server: Fixture.server)
        var second = Scene(record: kept)
        let action = second.come(back: Self.back)
        #expect(action == nil && second.asked.isEmpty)
    }

    @Test func `a redirect that cannot be written down is redeemed all the same, once`() throws {
        var scene = Scene()
        _ = try scene.invited()
        scene.diskTrouble = "no space left"
        guard case .done? = scene.come(back: Self.back) else { return #expect(Bool(false)) }
    }

    @Test func `an error of an earlier sign-in does not end the one that waits`() throws {
        var first = Scene()
        _ = try first.invited()
        var second = Scene(record: first.record, random: "second")
        let state = FormFields(redirect: try second.invited().url)["state"] ?? ""
        #expect(second.come(back: "error=access_denied&state=\(Self.state)") == nil)
        #expect(second.signIn.waitsForRedirect)
        guard case .done? = second.come(back: "code=c&state=\(state)") else { return #expect(Bool(false)) }
    }

    @Test func `a redirect that comes while another sign-in begins is not mixed up with it`() throws {
        var first = Scene()
        _ = try first.invited()
        var second = Scene(record: first.record, random: "second")
        let action = second.signIn.begin(now: second.now)
        #expect(second.come(back: Self.back) == nil)
        guard case .invite = second.run(action) else { return #expect(Bool(false)) }
    }

    @Test func `a redirect of an earlier sign-in is redeemed as the client that it was begun with`() throws {
        var first = Scene()
        _ = try first.invited()
        var fresh = Scene(record: first.record, fresh: true, random: "other")
        fresh.pages["https://as.example/register"] = [Fixture.reply(201, #"{"client_id":"newer"}"#)]
        _ = try fresh.invited()
        guard case .done? = fresh.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(fresh.asked.last?.form["client_id"] == "made")
    }

    @Test func `a redirect of another sign-in ends nothing, and the right one may still come`() throws {
        var scene = Scene()
        _ = try scene.invited()
        #expect(scene.come(back: "code=x&state=other.676974687562") == nil)
        guard case .done? = scene.come(back: Self.back) else { return #expect(Bool(false)) }
    }

    @Test func `a redirect is good for a process that came after the one that began`() throws {
        var first = Scene()
        _ = try first.invited()
        var second = Scene(record: first.record)
        second.pages["https://as.example/token"] = [Fixture.good]
        guard case .done? = second.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(second.asked.map(\.url) == ["https://as.example/token"])
    }
}
