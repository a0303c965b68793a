import BridgeProcess
import FoundationEssentials
import Glibc
import Testing

@testable import mcp_bridge

@Suite("Folders of bridges that are no more") struct DeadInstancesTests {
    @Test func `are removed when nobody has started one for long, and nobody has it`() throws {
        let base = "\(FileManager.default.temporaryDirectory.path)/instances-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: base) }
        let (first, copy, other, used) = (
            "0123456789abcdef", "0123456789abcdef-2", "fedcba9876543210", "aaaaaaaaaaaaaaaa"
        )
        let signedIn = "bbbbbbbbbbbbbbbb"
        for name in [first, copy, other, used, signedIn, "notes", "0123456789abcdef-x"] {
            try FileManager.default.createDirectory(atPath: "\(base)/\(name)/in", withIntermediateDirectories: true)
            try #require(FileManager.default.createFile(atPath: "\(base)/\(name)/lock", contents: nil))
        }
        try FileManager.default.createDirectory(atPath: "\(base)/\(signedIn)/oauth", withIntermediateDirectories: true)
        let lock = try #require(try FolderLock.take("\(base)/\(used)", as: "a test"))
        defer { lock.release() }
        func left(after days: Int) throws -> Set<String> {
            DeadInstances.remove(beside: "\(base)/\(first)", now: time(nil) + 86_400 * days + 60)
            return Set(try FileManager.default.contentsOfDirectory(atPath: base))
        }
        let all: Set = [first, copy, other, used, signedIn, "notes", "0123456789abcdef-x"]
        #expect(try left(after: 7) == all)
        #expect(try left(after: 8) == all.subtracting([copy]))
        #expect(try left(after: 90) == all.subtracting([copy, other]))
    }

    @Test func `are looked at again under their locks, and what is left of a removal goes with the next`() throws {
        let base = "\(FileManager.default.temporaryDirectory.path)/instances-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: base) }
        let (own, signsIn, starts, dead) = (
            "0123456789abcdef", "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd"
        )
        for name in [own, signsIn, starts, dead, "eeeeeeeeeeeeeeee.removed"] {
            try FileManager.default.createDirectory(atPath: "\(base)/\(name)", withIntermediateDirectories: true)
            try #require(FileManager.default.createFile(atPath: "\(base)/\(name)/lock", contents: nil))
        }
        let later = time(nil) + 86_400 * 100
        DeadInstances.remove(beside: "\(base)/\(own)", now: later) { folder in
            if folder.hasSuffix(signsIn) { mkdir("\(folder)/oauth", 0o700) }
            // As at a start: what the file is written at.
            if folder.hasSuffix(starts) {
                utimes("\(folder)/lock", [timeval(tv_sec: later, tv_usec: 0), timeval(tv_sec: later, tv_usec: 0)])
            }
        }
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: base)) == [own, signsIn, starts])
        // Looking is no start.
        #expect(FileManager.default.contents(atPath: "\(base)/\(signsIn)/lock")?.isEmpty == true)
    }
}
