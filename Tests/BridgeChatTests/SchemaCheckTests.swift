import BridgeCore
import Testing

@testable import BridgeChat

@Suite("Schemas that want much work", .timeLimit(.minutes(1))) struct SchemaCheckTests {
    @Test func `a reference is looked for once, and what is looked at for it is counted`() throws {
        let filling = String(repeating: "x", count: 10_000)
        let root = try json(##"{"filling":"\##(filling)","$defs":{"a/b":{"type":"null"}}}"##)
        var references = SchemaReferences(in: root)
        var budget = 20_000
        #expect(references.target(of: "#/$defs/a~1b", budget: &budget)?.string("type") == "null")
        #expect(budget < 10_000)
        let left = budget
        #expect(references.target(of: "#/$defs/a~1b", budget: &budget) != nil && budget == left)
        #expect(references.target(of: "#/$defs/none", budget: &budget) == nil && budget <= 0)
        #expect(references.target(of: "#/filling", budget: &budget) == nil)
        #expect(references.target(of: "elsewhere#/$defs", budget: &budget) == nil)
        #expect(references.target(of: "#", budget: &budget) == root)
    }

    @Test func `many references into a large schema end`() throws {
        let filling = String(repeating: "x", count: 16_000_000)
        let parts = (0..<9_000).map { ##"{"$ref":"#/$defs/n\##($0)"}"## }.joined(separator: ",")
        let schema = try json(##"{"filling":"\##(filling)","allOf":[\##(parts)],"$defs":{}}"##)
        #expect(SchemaCheck.problem(with: .emptyObject, by: schema) == nil)
    }

    @Test func `a large value is compared with many others as what it is`() throws {
        let member = #""m":"\#(String(repeating: "x ", count: 1_000_000))""#
        let value = try json("{ \(member) }")
        let others = String(repeating: "{},", count: 9_000)
        #expect(
            SchemaCheck.problem(with: value, by: try json(#"{"enum":[\#(others){}]}"#))?.contains("allowed") == true)
        #expect(SchemaCheck.problem(with: value, by: try json(#"{"enum":[\#(others){\#(member)}]}"#)) == nil)
    }

    @Test func `what is wrong is told in few words, however deep it is and whatever members are called`() throws {
        let name = String(repeating: "n", count: 1_000)
        var value = "1"
        var schema = #"{"type":"string"}"#
        for _ in 0..<20 {
            value = #"{"\#(name)":\#(value)}"#
            schema = #"{"anyOf":[{"type":"null"},{"properties":{"\#(name)":\#(schema)}}]}"#
        }
        let problem = try #require(SchemaCheck.problem(with: try json(value), by: try json(schema)))
        #expect(problem.hasPrefix("$") && problem.utf8.count < 520)
    }
}
