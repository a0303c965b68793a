import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

/// What a lane makes of what only connections without a process have to say.
@Suite("Lost sessions and sign-ins") struct SessionLossTests {
    @Test func `a server that has lost the session is greeted again over the same connection, and all is told anew`()
        async throws
    {
        let stage = await Stage.open()
        let identity = #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}}}"#
        await stage.onLoop { $0.lane?.set(logLevel: JSONText(literal: #""warning""#)) }
        await stage.answer(await stage.next("initialize"), identity)
        _ = await stage.next("logging/setLevel")
        await stage.answer(await stage.next("tools/list"), #"{"tools":[]}"#)
        _ = await stage.told { $0 == "tools []" }
        #expect(await stage.status?.phase == .ready)
        await stage.onLoop {
            $0.connection.delegate?.connectionLostSession($0.connection, refusesRevision: false)
        }
        let hello = await stage.next("initialize")
        #expect(hello.contains("2025-11-25"))
        #expect(await stage.status?.phase == .ready)
        await stage.answer(hello, identity)
        _ = await stage.told { $0.contains("2025-11-25") }
        _ = await stage.next("notifications/initialized")
        #expect(await stage.next("logging/setLevel").contains("warning"))
        await stage.answer(await stage.next("tools/list"), #"{"tools":[]}"#)
        #expect(stage.ends.all.isEmpty)
    }

    @Test func `a server that regrets its revision is offered an older one`() async throws {
        let stage = await Stage.open()
        await stage.answer(await stage.next("initialize"), #"{"protocolVersion":"2025-11-25","capabilities":{}}"#)
        _ = await stage.next("notifications/initialized")
        await stage.onLoop {
            $0.connection.delegate?.connectionLostSession($0.connection, refusesRevision: true)
        }
        #expect(await stage.next("initialize").contains("2025-06-18"))
    }

    @Test func `a server that does not answer the second greeting is lost`() async throws {
        let stage = await Stage.open()
        await stage.answer(await stage.next("initialize"), #"{"protocolVersion":"2025-11-25","capabilities":{}}"#)
        _ = await stage.next("notifications/initialized")
        await stage.onLoop {
            $0.connection.delegate?.connectionLostSession($0.connection, refusesRevision: false)
        }
        await stage.refuse(await stage.next("initialize"), #"{"code":-32601,"message":"not today"}"#)
        #expect(await stage.ends.next { _ in true } == .promptly)
        #expect(await stage.status?.lastError?.contains("not today") == true)
    }

    @Test func `who has to sign in is told so, until somebody has`() async throws {
        let stage = await Stage.open()
        _ = await stage.next("initialize")
        await stage.onLoop {
            $0.connection.delegate?.connectionNeedsSignIn($0.connection, reason: "sign-in needed: 401")
        }
        let status = try #require(await stage.status)
        #expect(status.phase == .signIn && status.lastError == "sign-in needed: 401")
        #expect(!status.isConnected)
    }
}
