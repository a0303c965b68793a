import BridgeAccess
import Testing

@Suite("Token scopes") struct TokenScopeTests {
    @Test(arguments: [
        "mcp", "mcp,chat,source,admin", "server:calculator,tool:git.*", "tool:a%2Eb.c.d*", "server:50%25%2C",
    ])
    func `a scope reads what it writes`(text: String) throws {
        #expect(try TokenScope(text).text == text)
    }

    @Test func `spaces around words and words said twice make no difference`() throws {
        #expect(try TokenScope(" mcp , chat,mcp ") == TokenScope("mcp,chat"))
    }

    @Test(arguments: [
        ("", "a list of words"), ("mcp,", "a list of words"), ("MCP", "`MCP` is no scope"),
        ("tools:git.*", "`tools:git.*` is no scope"), ("tool:git", "which tools"), ("server:", "empty name"),
        ("tool:.x", "empty name"), ("server:50%", "written %25"), ("server:a\nb", "control characters"),
    ])
    func `what is no scope is refused with the word and with those there are`(text: String, says: String) {
        #expect {
            try TokenScope(text)
        } throws: { error in
            "\(error)".contains(says)
                && (!"\(error)".contains("is no scope") || "\(error)".contains("tool:SERVER.PATTERN"))
        }
    }

    @Test func `all of MCP is every server and everything it offers`() throws {
        let scope = try TokenScope("mcp")
        #expect(scope.isAllOfMCP && scope.mayUseMCP && scope.mayUseAll(of: "x") && scope.mayCall("y", of: "x"))
        #expect(!scope.mayChat && !scope.mayBeSource && !scope.mayAdminister)
    }

    @Test func `a server is all that it offers, and nothing of another`() throws {
        let scope = try TokenScope("server:git")
        #expect(scope.mayUseMCP && !scope.isAllOfMCP)
        #expect(scope.mayUse(server: "git") && scope.mayUseAll(of: "git") && scope.mayCall("log", of: "git"))
        #expect(!scope.mayUse(server: "github") && !scope.mayCall("log", of: "github"))
    }

    @Test func `tools are those that match, and nothing else of their server`() throws {
        let scope = try TokenScope("tool:git.log*,tool:git.diff,tool:a%2Eb.x")
        #expect(scope.mayUse(server: "git") && !scope.mayUseAll(of: "git"))
        #expect(scope.mayCall("log_all", of: "git") && scope.mayCall("diff", of: "git"))
        #expect(!scope.mayCall("push", of: "git") && !scope.mayCall("log", of: "other"))
        #expect(scope.mayCall("x", of: "a.b") && !scope.mayUse(server: "a"))
    }

    @Test func `whoever administers may use everything, but is no source`() throws {
        let scope = try TokenScope("admin")
        #expect(scope.isAllOfMCP && scope.mayUseMCP && scope.mayChat && scope.mayAdminister && !scope.mayBeSource)
    }

    @Test func `chat alone opens nothing of MCP`() throws {
        let scope = try TokenScope("chat")
        #expect(scope.mayChat && !scope.mayUseMCP && !scope.mayUse(server: "x"))
        #expect(scope.reach(of: "x") == .nothing)
    }

    @Test func `models are all of them, or those that match`() throws {
        #expect(ModelPatterns.all.match("anything"))
        let models = try ModelPatterns("gpt-*, claude-3")
        #expect(models.match("gpt-5") && models.match("claude-3") && !models.match("claude-31"))
        #expect(throws: AccessProblem.self) { try ModelPatterns("gpt-*,") }
    }
}
