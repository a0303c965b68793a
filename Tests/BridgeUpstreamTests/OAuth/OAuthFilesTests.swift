import BridgeConfiguration
import BridgeCore
import BridgeOAuth
import Foundation
import NIOCore
import Testing

@testable import BridgeUpstream

/// What lies on the disk of an upstream's OAuth.
@Suite("State files of OAuth") struct OAuthFilesTests {
    private let folder: String

    init() throws {
        let root = FileManager.default.temporaryDirectory.path + "/oauth-\(UUID().uuidString)"
        self.folder = root + "/oauth"
    }

    private func files(_ upstream: String = "github", key: String? = nil) throws -> OAuthFiles {
        OAuthFiles(
            folder: self.folder, upstream: upstream, server: "https://mcp.example/mcp",
            seal: try StateSeal(base64Key: key))
    }

    private static func tokens(_ access: String = "at-secret") -> TokenSet {
        TokenSet(
            access: Secret(access), refresh: Secret("rt-secret"), issuer: "https://as.example", clientID: "c",
            asked: nil,
            granted: nil, resource: nil, issued: 1, expires: nil)
    }

    private func signIn(_ files: OAuthFiles, _ access: String = "at-secret") throws -> OAuthRecord {
        let change = RecordChange.signedIn(
            Self.tokens(access), ClientAuthentication(method: .none), attempt: nil, sendsNoResource: false)
        return try files.change(change, now: 1)
    }

    private var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []).sorted() }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func bytes(_ ending: String) throws -> Data {
        let name = try #require(self.names.first { $0.hasSuffix(ending) })
        return try Data(contentsOf: URL(fileURLWithPath: self.folder + "/" + name))
    }

    @Test func `what is written is read, and is nobody else's`() throws {
        let files = try self.files()
        #expect(try files.read().record == nil)
        let record = try self.signIn(files)
        try files.write(RefreshIntent(generation: 1, began: 2))
        try files.write(
            KeptAnswer(generation: 1, reply: WebReply(status: 200, body: ByteBuffer(string: "x")), came: 3))
        let there = try files.read()
        #expect(there.record == record && there.intent?.generation == 1 && there.answer?.reply.status == 200)
        #expect(try self.mode(self.folder) == 0o700)
        for name in self.names { #expect(try self.mode(self.folder + "/" + name) == 0o600, "\(name)") }
        try files.clear()
        #expect(try files.read().intent == nil && files.read().answer == nil)
        try files.clear()
    }

    @Test func `the state before is kept, and another upstream has a state of its own`() throws {
        let files = try self.files()
        _ = try self.signIn(files)
        _ = try self.signIn(files, "at-two")
        #expect(String(decoding: try self.bytes("previous"), as: UTF8.self).contains("at-secret"))
        #expect(String(decoding: try self.bytes("json"), as: UTF8.self).contains("at-two"))
        #expect(try self.files("gitlab").read().record == nil)
        #expect(!self.names.contains { $0.contains("github") })
    }

    @Test func `the lock is one holder's, and what is changed under it is changed by nobody else`() throws {
        let one = try self.files()
        let two = try self.files()
        #expect(try one.take() == nil)
        #expect(try two.take()?.contains("\(getpid())") == true)
        #expect(try two.holder() != nil)
        _ = try self.signIn(one)
        one.release()
        #expect(try two.holder() == nil)
        _ = try self.signIn(two, "at-two")
        #expect(try one.read().record?.generation == 2)
    }

    @Test func `what another process has written meanwhile stays`() throws {
        let one = try self.files()
        let two = try self.files()
        _ = try self.signIn(one)
        let attempt = SignInAttempt(
            state: "s", verifier: Secret("v"), redirect: "r", issuer: "i", scope: nil, resource: nil, began: 1)
        let client = ClientRegistration(.registered, issuer: "i", id: "c", redirects: ["r"], registered: 1)
        let metadata = try ServerMetadata(
            JSONText(literal: #"{"issuer":"i","token_endpoint":"https://as.example/token"}"#))
        let found = Discovered(resource: "r", metadata: metadata)
        _ = try two.change(.beginning(found, client, attempt, isNew: true), now: 1)
        let record = try one.read().record
        #expect(record?.tokens?.access == Secret("at-secret") && record?.attempts.count == 1)
    }

    @Test func `newer tokens on the disk are never overwritten by older ones from memory`() throws {
        let files = try self.files()
        let first = try self.signIn(files)
        _ = try self.signIn(files, "at-two")
        try files.save(first)
        #expect(try files.read().record?.tokens?.access == Secret("at-two"))
    }

    @Test func `tokens that the disk had not taken come to it with the next change, or when they are saved`() throws {
        let files = try self.files()
        var newer = try self.signIn(files)
        newer.generation = 5
        newer.tokens = Self.tokens("at-five")
        try files.write(RefreshIntent(generation: 1, began: 2))
        _ = try files.change(.offlineRefused, now: 2)
        try files.save(newer)
        var there = try #require(try files.read().record)
        #expect(there.tokens == newer.tokens && there.generation == 5 && there.refusesOffline, "others' changes stay")
        #expect(try files.read().intent == nil)
        newer.generation = 6
        newer.tokens = Self.tokens("at-six")
        there = try files.change(.verdict(nil, generation: 6), over: newer, now: 3)
        #expect(there.tokens == newer.tokens && there.generation == 6 && there.refusesOffline)
        // A sign-in counts on from them, so that no two sets have one number.
        _ = try self.signIn(files, "at-seven")
        there = try files.change(.offlineRefused, over: newer, now: 4)
        #expect(there.tokens?.access == Secret("at-seven") && there.generation == 7)
    }

    @Test func `a state that cannot be read is left as it is, and kept beside what a sign-in writes`() throws {
        let files = try self.files()
        _ = try self.signIn(files)
        let name = try #require(self.names.first { $0.hasSuffix("json") })
        try Data("{ broken".utf8).write(to: URL(fileURLWithPath: self.folder + "/" + name))
        #expect(throws: (any Error).self) { try files.read() }
        #expect(String(decoding: try self.bytes("json"), as: UTF8.self) == "{ broken")
        _ = try self.signIn(files, "at-two")
        #expect(String(decoding: try self.bytes("previous"), as: UTF8.self) == "{ broken")
        #expect(try files.read().record?.tokens?.access == Secret("at-two"))
    }

    @Test func `sealed files say nothing, and open with their own key alone`() throws {
        let key = Data((0..<32).map { UInt8($0) }).base64EncodedString()
        let plain = try self.files()
        _ = try self.signIn(plain)
        // What lay open is read, and sealed from then on, the state before aside.
        let sealed = try self.files(key: key)
        #expect(try sealed.read().record?.generation == 1)
        _ = try self.signIn(sealed, "at-two")
        _ = try self.signIn(sealed, "at-three")
        try sealed.write(RefreshIntent(generation: 1, began: 2))
        for name in self.names {
            let data = try Data(contentsOf: URL(fileURLWithPath: self.folder + "/" + name))
            for secret in ["at-", "rt-secret", "generation"] {
                #expect(data.range(of: Data(secret.utf8)) == nil, "\(name)")
            }
        }
        #expect(try sealed.read().record?.tokens?.access == Secret("at-three"))
        #expect(throws: (any Error).self) { try plain.read() }
        let other = Data(repeating: 7, count: 32).base64EncodedString()
        #expect(throws: (any Error).self) { try self.files(key: other).read() }
        #expect(throws: (any Error).self) { try StateSeal(base64Key: "short") }
    }

    @Test func `who signs out leaves no token behind`() throws {
        let files = try self.files()
        _ = try self.signIn(files)
        _ = try self.signIn(files)
        try files.write(RefreshIntent(generation: 1, began: 2))
        _ = try files.change(.loggedOut, now: 2)
        try files.forget()
        for name in self.names {
            let data = try Data(contentsOf: URL(fileURLWithPath: self.folder + "/" + name))
            #expect(data.range(of: Data("secret".utf8)) == nil, "\(name)")
        }
    }

    @Test func `the state of mcp-bridge for Node is taken over once, and its file stays under another name`() throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let path = self.folder + "/../oauth-state.json"
        let text = #"{"clientInformation":{"client_id":"c"},"tokens":{"access_token":"a","refresh_token":"r"}}"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let files = try self.files()
        #expect(try files.importOlder(path, redirects: [])?.tokens?.refresh == Secret("r"))
        #expect(
            FileManager.default.fileExists(atPath: path + ".imported") && !FileManager.default.fileExists(atPath: path))
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(try files.importOlder(path, redirects: []) == nil)
    }
}
