import Glibc
import Testing

@testable import BridgeProcess

@Suite("Executable lookup") struct ExecutableLookupTests {
    @Test func `a name is found in the first directory that has it`() throws {
        let first = try TemporaryDirectory()
        let second = try TemporaryDirectory()
        _ = try second.file("tool", mode: 0o755)
        let path = "\(first.path):\(second.path)"
        #expect(try ExecutableLookup.find("tool", path: path, workingDirectory: nil) == "\(second.path)/tool")
        _ = try first.file("tool", mode: 0o755)
        #expect(try ExecutableLookup.find("tool", path: path, workingDirectory: nil) == "\(first.path)/tool")
    }

    @Test func `a file that is not executable is passed over`() throws {
        let first = try TemporaryDirectory()
        let second = try TemporaryDirectory()
        let blunt = try first.file("tool", mode: 0o644)
        let path = "\(first.path):\(second.path)"
        #expect(throws: ExecutableLookup.Failure.notExecutable(blunt)) {
            try ExecutableLookup.find("tool", path: path, workingDirectory: nil)
        }
        let sharp = try second.file("tool", mode: 0o755)
        #expect(try ExecutableLookup.find("tool", path: path, workingDirectory: nil) == sharp)
    }

    @Test func `a name that is nowhere is told with the places`() throws {
        #expect(throws: ExecutableLookup.Failure.notFound("no-such-tool", searched: ["/usr/bin", "/srv/bin"])) {
            try ExecutableLookup.find("no-such-tool", path: "/usr/bin:bin", workingDirectory: "/srv")
        }
        #expect(throws: ExecutableLookup.Failure.noCommand) {
            try ExecutableLookup.find("", path: nil, workingDirectory: nil)
        }
    }

    @Test func `paths start from the working directory`() throws {
        let directory = try TemporaryDirectory()
        let tool = try directory.file("tool", mode: 0o755)
        let here = directory.path
        #expect(try ExecutableLookup.find(tool, path: nil, workingDirectory: "/") == tool)
        #expect(try ExecutableLookup.find("./tool", path: nil, workingDirectory: here) == "\(here)/./tool")
        #expect(try ExecutableLookup.find("tool", path: "", workingDirectory: here) == "\(here)/./tool")
        #expect(throws: ExecutableLookup.Failure.notFound("\(here)/./other", searched: [])) {
            try ExecutableLookup.find("./other", path: nil, workingDirectory: here)
        }
    }

    @Test func `a directory is told as such`() throws {
        #expect(throws: ExecutableLookup.Failure.isDirectory("/usr/bin")) {
            try ExecutableLookup.find("/usr/bin", path: nil, workingDirectory: nil)
        }
    }

    @Test func `the bridge itself is found where no directory has it`() throws {
        let directory = try TemporaryDirectory()
        let own = try ExecutableLookup.find("mcp-bridge", path: directory.path, workingDirectory: nil)
        #expect(own.hasPrefix("/") && own != "\(directory.path)/mcp-bridge" && access(own, X_OK) == 0)
        let other = try directory.file("mcp-bridge", mode: 0o755)
        #expect(try ExecutableLookup.find("mcp-bridge", path: directory.path, workingDirectory: nil) == other)
    }

    @Test func `the standard path has a shell`() throws {
        #expect(try ExecutableLookup.find("sh", path: nil, workingDirectory: nil).hasSuffix("/sh"))
    }
}
