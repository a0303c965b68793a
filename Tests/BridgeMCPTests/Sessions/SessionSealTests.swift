import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("Session ids") struct SessionSealTests {
    private static let key = SessionSeal.makeKey()

    private func seal(_ key: String = SessionSealTests.key) throws -> SessionSeal {
        try #require(SessionSeal(base64Key: key))
    }

    static func claims(principal: String = "local", revision: ProtocolRevision = .v2025_06_18) -> SessionClaims {
        SessionClaims(
            number: 0x0123_4567_89AB_CDEF, revision: revision, capabilities: [.sampling, .elicitationURL, .roots],
            safeNames: true, principal: principal, created: 1_763_000_000, expires: 1_763_604_800
        )
    }

    @Test(arguments: ProtocolRevision.allCases)
    func `say again what was sealed in them`(revision: ProtocolRevision) throws {
        for principal in ["", "local", "uid:1000", "tökén", String(repeating: "p", count: 128)] {
            for safeNames in [true, false] {
                var claims = Self.claims(principal: principal, revision: revision)
                claims.safeNames = safeNames
                claims.endsWithStream = principal == "local"
                claims.number = .max
                claims.expires = .max
                let id = try #require(try self.seal().seal(claims))
                #expect(try self.seal().open(id) == claims)
            }
        }
    }

    @Test func `are short, and of characters that a header may hold`() throws {
        let longest = try #require(try self.seal().seal(Self.claims(principal: String(repeating: "é", count: 64))))
        #expect(longest.utf8.count < 512)
        for byte in longest.utf8 { #expect((0x21...0x7E).contains(byte)) }
        #expect(!longest.contains { "+/=".contains($0) })
    }

    @Test func `are not made for a principal that would make them long`() throws {
        #expect(try self.seal().seal(Self.claims(principal: String(repeating: "é", count: 65))) == nil)
    }

    @Test func `are never the same twice, and tell nothing of their content`() throws {
        let first = try #require(try self.seal().seal(Self.claims(principal: "secret-user")))
        let second = try #require(try self.seal().seal(Self.claims(principal: "secret-user")))
        #expect(first != second)
        #expect(!first.contains("secret"))
    }

    @Test func `are refused when any one character is another`() throws {
        let id = Array(try #require(try self.seal().seal(Self.claims())).utf8)
        for index in id.indices {
            for other in [
                UInt8(ascii: "A"), UInt8(ascii: "B"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="),
            ]
            where other != id[index] {
                var altered = id
                altered[index] = other
                #expect(try self.seal().open(String(decoding: altered, as: UTF8.self)) == nil, "at \(index)")
            }
        }
    }

    @Test func `are refused when cut, or when something is appended`() throws {
        let id = try #require(try self.seal().seal(Self.claims()))
        for length in 0..<id.utf8.count { #expect(try self.seal().open(String(id.prefix(length))) == nil) }
        for tail in ["A", "=", "==", " ", "\n", "\0", "é", "AAAA"] {
            #expect(try self.seal().open(id + tail) == nil, "\(tail)")
        }
    }

    @Test func `are refused when made with another key`() throws {
        let id = try #require(try self.seal().seal(Self.claims()))
        #expect(try self.seal(SessionSeal.makeKey()).open(id) == nil)
    }

    @Test(arguments: [
        "", "x", "not a session", String(repeating: "A", count: 513), String(repeating: "A", count: 80), "💥",
    ])
    func `are not found in other texts`(text: String) throws {
        #expect(try self.seal().open(text) == nil)
    }

    @Test(arguments: ["", "short", "AAAA", String(repeating: "A", count: 44), "!!!!"])
    func `need a key of 32 bytes in base64`(key: String) {
        #expect(SessionSeal(base64Key: key) == nil)
    }

    @Test func `have a digest of eight hexadecimal digits for logs`() {
        #expect(SessionSeal.digest(of: "abc") == "ba7816bf")
        #expect(SessionSeal.digest(of: "").count == 8)
        for number in 0..<300 { #expect(SessionSeal.digest(of: "\(number)").count == 8) }
    }
}

@Suite("Session claims") struct SessionClaimsTests {
    @Test func `read back as they were written`() throws {
        let claims = SessionSealTests.claims()
        #expect(SessionClaims(decoding: try #require(claims.encoded())) == claims)
        for name in ["v", "Visual Studio Code", String(repeating: "é", count: 32)] {
            var named = claims
            named.client = SessionClaims.fitting(name)
            #expect(named.client == name)
            #expect(SessionClaims(decoding: try #require(named.encoded())) == named)
        }
        #expect(SessionClaims.fitting("") == nil)
        #expect(SessionClaims.fitting(String(repeating: "x", count: 65)) == nil)
    }

    @Test func `are refused when the client's name is cut`() throws {
        var claims = SessionSealTests.claims(principal: "")
        claims.client = "client"
        let bytes = try #require(claims.encoded())
        for length in 0..<bytes.readableBytes {
            #expect(SessionClaims(decoding: try #require(bytes.getSlice(at: 0, length: length))) == nil)
        }
    }

    @Test func `are refused when cut within their fixed part, or of another format`() throws {
        let bytes = try #require(SessionSealTests.claims(principal: "").encoded())
        for length in 0..<bytes.readableBytes {
            #expect(SessionClaims(decoding: try #require(bytes.getSlice(at: 0, length: length))) == nil)
        }
        var other = bytes
        other.setInteger(UInt8(2), at: 0)
        #expect(SessionClaims(decoding: other) == nil)
        var revision = bytes
        revision.setInteger(UInt8(9), at: 9)
        #expect(SessionClaims(decoding: revision) == nil)
    }

    @Test func `keep capabilities that this version does not know`() throws {
        var claims = SessionSealTests.claims()
        claims.capabilities = SessionClaims.Capabilities(rawValue: 0xFF)
        #expect(SessionClaims(decoding: try #require(claims.encoded()))?.capabilities.rawValue == 0xFF)
    }
}

@Suite("Seals of different purposes") struct SealPurposeTests {
    private struct Other: SealedClaims, Equatable {
        static let purpose = "another"
        var number: UInt8
        init(number: UInt8) { self.number = number }
        func encoded() -> ByteBuffer? { ByteBuffer(bytes: [self.number]) }
        init?(decoding bytes: ByteBuffer) {
            guard let number = bytes.getInteger(at: 0, as: UInt8.self) else { return nil }
            self.number = number
        }
    }

    @Test func `do not open each other's texts, with the same key`() throws {
        let key = SessionSeal.makeKey()
        let sessions = try #require(SessionSeal(base64Key: key))
        let others = try #require(Seal<Other>(base64Key: key))
        let session = try #require(sessions.seal(SessionSealTests.claims()))
        let other = try #require(others.seal(Other(number: 7)))
        #expect(others.open(other) == Other(number: 7))
        #expect(others.open(session) == nil)
        #expect(sessions.open(other) == nil)
    }
}
