import BridgeTesting
import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("Pages of a list") struct CataloguePagesTests {
    private func section(_ names: Set<String>) -> Catalogue.Section {
        let entries = names.sorted().map { name in JSONWriter.object { $0.member("name", name) } }
        return Catalogue.Section(
            of: .tools, sources: [.init(name: "s", prefix: "s", filter: NameFilter(), entries: entries)])
    }

    /// - Returns: the names of a page as they are shown, and the next one's cursor.
    private func page(
        _ section: Catalogue.Section, _ cursor: JSONText?, size: Int, safe: Bool
    ) throws -> (names: [String], next: JSONText?) {
        let reply = try section.reply(to: ByteBuffer(string: "1"), cursor: cursor, size: size, safe: safe)
        let result = try #require(try JSONText(validating: reply).value("result"))
        var names: [String] = []
        let tools = try #require(result.value("tools"))
        tools.elements { names.append(tools[$0].string("name") ?? "?") }
        return (names, result.value("nextCursor"))
    }

    @Test(arguments: 0..<4)
    func `show each entry that stays once, whatever comes and goes between them`(seed: UInt64) throws {
        try Fuzz.cases(500, seed: seed) { (random: inout SeededRandom, name: String) throws in
            let pool = (0..<30).map { _ in
                Fuzz.text(of: ["a", "b", "_", "__", ".", "é", "工", " ", "\"", "\\"], 1...4, &random)
            }
            let some = { (random: inout SeededRandom) in Set(pool.filter { _ in Bool.random(using: &random) }) }
            let safe = Bool.random(using: &random)
            let size = Int.random(in: 1...7, using: &random)
            let staying = some(&random)
            var shown: [String] = []
            var cursor: JSONText?
            var everThere: Set<String> = []
            repeat {
                let there = staying.union(some(&random))
                everThere.formUnion(there)
                let (names, next) = try self.page(self.section(there), cursor, size: size, safe: safe)
                #expect(names.count <= size, "\(name)")
                shown += names
                cursor = next
            } while cursor != nil
            let spelled = { (names: Set<String>) in
                Set(
                    names.map {
                        let public_ = PublicName(prefix: "s", separator: ".", name: $0)
                        return safe ? public_.safe : public_.dot
                    })
            }
            #expect(shown == shown.sorted(), "\(name)")
            #expect(Set(shown).count == shown.count, "\(name)")
            #expect(spelled(staying).isSubset(of: shown), "\(name)")
            #expect(Set(shown).isSubset(of: spelled(everThere)), "\(name)")
        }
    }

    @Test func `begin anew with no cursor, and end in whole where pages are no more`() throws {
        let section = self.section(["a", "b", "c"])
        let (first, next) = try self.page(section, .null, size: 2, safe: false)
        #expect(first == ["s.a", "s.b"])
        let rest = try section.reply(to: ByteBuffer(string: "1"), cursor: next, size: nil, safe: false)
        #expect(String(buffer: rest) == #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"s.c"}]}}"#)
        // What was named last may be gone.
        let (last, none) = try self.page(self.section(["a", "c"]), next, size: 2, safe: false)
        #expect(last == ["s.c"] && none == nil)
    }
}
