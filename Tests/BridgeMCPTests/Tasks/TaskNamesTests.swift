import NIOCore
import Testing

@testable import BridgeMCP

@Suite("Ids of tasks") struct TaskNamesTests {
    private static let key = SessionSeal.makeKey()

    private func names(_ key: String = TaskNamesTests.key) throws -> TaskNames {
        try #require(TaskNames(base64Key: key))
    }

    static func claims(_ ownID: String = "task-1", principal: String = "local", server: String = "s") -> TaskClaims {
        TaskClaims(
            key: TaskKey(server: server, life: 1 << 52, ownID: ownID), principal: principal, session: .max,
            created: 1_763_000_000)
    }

    @Test(arguments: ["task-1", "", "ünï:cödé", String(repeating: "x", count: 1_024)])
    func `say again what was sealed in them`(ownID: String) throws {
        for principal in ["", "local", "uid:1000", String(repeating: "p", count: 128)] {
            for server in ["s", "a:b", String(repeating: "s", count: 128)] {
                let claims = Self.claims(ownID, principal: principal, server: server)
                let name = try #require(try self.names().name(of: claims))
                #expect(name.hasPrefix("\(server):"))
                #expect(try self.names().claims(in: name) == claims)
            }
        }
    }

    @Test func `are the same whenever they are made, and others for any other claim`() throws {
        let name = try self.names().name(of: Self.claims())
        #expect(try self.names().name(of: Self.claims()) == name)
        var others = [Self.claims("task-2"), Self.claims(principal: "uid:1"), Self.claims(server: "t")]
        var claims = Self.claims()
        claims.session -= 1
        others.append(claims)
        claims = Self.claims()
        claims.created += 1
        others.append(claims)
        claims = Self.claims()
        claims.key.life += 1
        others.append(claims)
        let all = try others.map { try self.names().name(of: $0) } + [name]
        #expect(Set(all).count == 7)
    }

    @Test func `tell nothing of their content but the server`() throws {
        let name = try #require(try self.names().name(of: Self.claims("own-id", principal: "secret-user")))
        #expect(!name.contains("own-id") && !name.contains("secret"))
    }

    @Test func `are nobody's when a character is another, the server's name too`() throws {
        let name = Array(try #require(try self.names().name(of: Self.claims())).utf8)
        for index in name.indices {
            for other in "ABst-_=:".utf8 where other != name[index] {
                var altered = name
                altered[index] = other
                #expect(try self.names().claims(in: String(decoding: altered, as: UTF8.self)) == nil, "\(index)")
            }
        }
        for cut in 0..<name.count {
            #expect(try self.names().claims(in: String(decoding: name[..<cut], as: UTF8.self)) == nil)
        }
    }

    @Test func `are nobody's that were made with another key, or for a session`() throws {
        let name = try #require(try self.names(SessionSeal.makeKey()).name(of: Self.claims()))
        #expect(try self.names().claims(in: name) == nil)
        let seal = try #require(SessionSeal(base64Key: Self.key))
        let session = try #require(seal.seal(SessionSealTests.claims()))
        #expect(try self.names().claims(in: "s:\(session)") == nil)
        let task = try #require(try self.names().name(of: Self.claims()))
        #expect(seal.open(String(task.dropFirst(2))) == nil)
    }

    @Test func `are not made of what is too long`() throws {
        #expect(try self.names().name(of: Self.claims(String(repeating: "x", count: 1_025))) == nil)
        #expect(try self.names().name(of: Self.claims(principal: String(repeating: "x", count: 129))) == nil)
        #expect(try self.names().name(of: Self.claims(server: String(repeating: "x", count: 129))) == nil)
    }
}
