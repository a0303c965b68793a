import BridgeAccess
import Testing

@Suite("Limits of tokens") struct TokenLimitsTests {
    @Test(arguments: ["1/s", "60/min", "1000/h", "5/day"])
    func `a rate reads what it writes`(text: String) throws {
        #expect(try TokenRate(text).description == text)
    }

    @Test(arguments: ["", "60", "60/", "/min", "0/min", "-1/min", "60/month", "60/min/s", "6e1/min"])
    func `what is no rate is refused with an example`(text: String) {
        #expect { try TokenRate(text) } throws: { "\($0)".contains("60/min") }
    }

    @Test(arguments: ["100000tokens/day", "5requests/day"])
    func `a budget reads what it writes`(text: String) throws {
        #expect(try TokenBudget(text).description == text)
        #expect(try TokenBudget(text.replacing("/", with: " / ").replacing("0t", with: "0 t")).description == text)
    }

    @Test(arguments: ["", "tokens/day", "5/day", "5tokens", "5tokens/min", "0tokens/day", "-5tokens/day", "5euros/day"])
    func `what is no budget is refused with an example`(text: String) {
        #expect { try TokenBudget(text) } throws: { "\($0)".contains("100000tokens/day") }
    }

    @Test func `requests at the same time are at least one`() throws {
        #expect(try TokenLimits.concurrency("4") == 4)
        for text in ["0", "-1", "four", ""] {
            #expect(throws: AccessProblem.self) { try TokenLimits.concurrency(text) }
        }
    }
}
