import BridgeFiles
import Glibc
import Testing

@testable import BridgeProcess

@Suite("Descriptor placement", .timeLimit(.minutes(1))) struct DescriptorPlacementTests {
    let processes: ProcessThread

    init() throws { self.processes = try TestProcesses.shared() }

    @Test func `sources that stand where others must go are exchanged`() async throws {
        let first = try Pipe.make()
        let second = try Pipe.make()
        defer { for end in [first.reading, first.writing, second.reading, second.writing] { close(end) } }
        let output = try Pipe.make()

        // Both numbers are targets too, each the other's.
        let (one, two) = (Int(first.writing), Int(second.writing))
        var placed = [CInt](repeating: -1, count: max(one, two, Int(output.writing)) + 2)
        placed[1] = output.writing
        placed[one] = second.writing
        placed[two] = first.writing
        placed[Int(output.writing)] = output.writing  // stays where it is
        let expected = [one: try Self.target(second.writing), two: try Self.target(first.writing)]

        var specification = SpawnSpecification.shell(
            "readlink /proc/self/fd/\(one) /proc/self/fd/\(two) /proc/self/fd/\(output.writing) /proc/self/fd/0"
        )
        specification.descriptors = placed
        let same = try Self.target(output.writing)
        let (exits, continuation) = AsyncStream.makeStream(of: Exit.self)
        _ = try await self.processes.spawn(specification) { continuation.yield($0) }
        close(output.writing)
        let text = await self.processes.readToEnd(output.reading)
        close(output.reading)
        #expect(try await exits.first() == .exited(0))
        #expect(text.split(separator: "\n").map(String.init) == [expected[one], expected[two], same, "/dev/null"])
    }

    @Test func `one source can stand at several places`() async throws {
        let output = try Pipe.make()
        var specification = SpawnSpecification.shell("echo one; echo two >&2; echo four >&4")
        specification.descriptors = [-1, output.writing, output.writing, -1, output.writing]
        _ = try await self.processes.spawn(specification) { _ in }
        close(output.writing)
        #expect(await self.processes.readToEnd(output.reading) == "one\ntwo\nfour\n")
        close(output.reading)
    }

    @Test(arguments: SpawnSpecification.Closing.allCases)
    func `everything else is closed`(closing: SpawnSpecification.Closing) async throws {
        // Open, and inherited by whoever does not close it.
        let stray = fcntl(0, F_DUPFD, 300)
        #expect(stray >= 300)
        defer { close(stray) }
        let output = try Pipe.make()
        var specification = SpawnSpecification.shell("echo /proc/self/fd/*")
        specification.descriptors = [-1, output.writing, -1, -1, -1]
        specification.closing = closing
        _ = try await self.processes.spawn(specification) { _ in }
        close(output.writing)
        let text = await self.processes.readToEnd(output.reading)
        close(output.reading)
        // Five of ours, and the one by which the shell reads the directory.
        #expect(text == (0...5).map { "/proc/self/fd/\($0)" }.joined(separator: " ") + "\n")
    }

    @Test func `standard descriptors that are not given are the null device`() async throws {
        let output = try Pipe.make()
        var specification = SpawnSpecification.shell("readlink /proc/self/fd/0 /proc/self/fd/2")
        specification.descriptors = [-1, output.writing]
        _ = try await self.processes.spawn(specification) { _ in }
        close(output.writing)
        #expect(await self.processes.readToEnd(output.reading) == "/dev/null\n/dev/null\n")
        close(output.reading)
    }

    private static func target(_ descriptor: CInt) throws -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(descriptor)", &bytes, bytes.count)
        guard count > 0 else { throw SystemCallError("readlink") }
        return String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
