import BridgeSystemd
import Glibc
import Testing

@Suite("Credentials")
struct CredentialsTests {
    @Test func `a credential is read whole, whatever its bytes`() throws {
        let folder = try TemporaryFolder()
        let secret: [UInt8] = [0, 255, 10, 65] + [UInt8](repeating: 7, count: 100_000)
        try folder.write(secret, to: "session-key")
        try folder.write([], to: "empty")
        let credentials = Credentials(environment: ["CREDENTIALS_DIRECTORY": folder.path])
        #expect(try credentials.read("session-key") == secret)
        #expect(try credentials.read("empty") == [])
        #expect(try credentials.read("other") == nil)
    }

    @Test func `without a directory there are none`() throws {
        #expect(try Credentials(environment: [:]).read("key") == nil)
        #expect(Credentials(environment: ["CREDENTIALS_DIRECTORY": "relative"]).directory == nil)
    }

    @Test(arguments: ["", ".", "..", "../secret", "a/b", "/etc/passwd", "a\0b", "a\nb", "a:b", "ä"])
    func `a name that leads elsewhere is refused`(name: String) throws {
        let folder = try TemporaryFolder()
        mkdir(folder.file("inner"), 0o700)
        try folder.write([1], to: "secret")
        let error = #expect(throws: SystemdError.self) { try Credentials(directory: folder.file("inner")).read(name) }
        #expect(error?.code == .name)
        #expect(!Credentials.isValidName(String(repeating: "x", count: 256)))
    }

    @Test func `the limit is a mebibyte, and one byte more is refused`() throws {
        let folder = try TemporaryFolder()
        try folder.write([UInt8](repeating: 1, count: Credentials.maximumSize), to: "full")
        try folder.write([UInt8](repeating: 1, count: Credentials.maximumSize + 1), to: "over")
        let credentials = Credentials(directory: folder.path)
        #expect(try credentials.read("full")?.count == Credentials.maximumSize)
        let error = #expect(throws: SystemdError.self) { try credentials.read("over") }
        #expect(error?.code == .credential)
    }

    @Test func `what is no file is refused and does not block`() throws {
        let folder = try TemporaryFolder()
        mkfifo(folder.file("fifo"), 0o600)
        mkdir(folder.file("folder"), 0o700)
        for name in ["fifo", "folder"] {
            let error = #expect(throws: SystemdError.self) { try Credentials(directory: folder.path).read(name) }
            #expect(error?.code == .credential)
        }
    }
}
