import BridgeCore
import BridgeTesting
import NIOCore
import Testing

@testable import BridgeChat

@Suite("The params of a sampling between front and source") struct NeutralParamsTests {
    private static let preferences = ModelPreferences(model: "gpt-5")

    private static func fitted(
        _ request: ChatRequest, _ abilities: SamplingAbilities
    ) throws -> (text: JSONText, remarks: ChatRemarks) {
        try SamplingParams.fitted(
            try SamplingParams(neutral: request).text, needs: SamplingParams.needs(of: request), to: abilities,
            preferences: Self.preferences, maximumTokens: 100)
    }

    private static func direct(_ request: ChatRequest, _ abilities: SamplingAbilities) throws -> SamplingParams {
        try SamplingParams(request, preferences: Self.preferences, maximumTokens: 100, abilities: abilities)
    }

    /// The members by their names, each as it is written.
    private static func members(_ text: JSONText) throws -> [String: String] {
        var members: [String: String] = [:]
        try JSONText(validating: text.bytes).members { members[$0.text.description] = text[$1].description }
        return members
    }

    private static let all = [
        SamplingAbilities(takesTools: true, takesAudio: true), SamplingAbilities(takesTools: true),
        SamplingAbilities(takesTools: true, takesImagesInResults: false), SamplingAbilities(),
        SamplingAbilities(takesLists: false),
    ]

    @Test func `they become what the request would have become for its source`() throws {
        var chats = RandomChats(seed: 12)
        for _ in 0..<400 {
            var request = ChatRequest(model: "gpt-5")
            request.turns = chats.turns()
            request.system = chats.chance(2) ? ["Be short."] : []
            request.temperature = chats.chance(2) ? 0.5 : nil
            request.stopSequences = chats.chance(2) ? ["END"] : []
            let hasTools = chats.chance(2)
            if hasTools { request.tools = [ChatTool(name: "tool_1", inputSchema: ChatTool.emptySchema)] }
            for abilities in Self.all {
                if hasTools, !abilities.takesTools {
                    let fault = try fault { _ = try Self.fitted(request, abilities) }
                    #expect(fault == .sourceWithoutTools)
                    continue
                }
                let fitted = try Self.fitted(request, abilities).text
                #expect(try Self.members(fitted) == Self.members(Self.direct(request, abilities).text))
            }
        }
    }

    @Test func `what a source takes as it is, is copied as it is`() throws {
        var request = ChatRequest(model: "gpt-5")
        request.turns = [.user("hi")]
        let neutral = try SamplingParams(neutral: request).text
        let fitted = try Self.fitted(request, SamplingAbilities(takesLists: false)).text
        #expect(fitted.description.hasSuffix(neutral.description.dropFirst()))
        #expect(fitted.value("maxTokens")?.int == 100)
        #expect(neutral.value("maxTokens") == nil && neutral.value("modelPreferences") == nil)
    }

    @Test func `every need is told, and by the abilities that meet it`() throws {
        var request = ChatRequest(model: "")
        request.turns = [.user("hi")]
        #expect(SamplingParams.needs(of: request) == [])
        request.tools = [ChatTool(name: "t", inputSchema: ChatTool.emptySchema)]
        #expect(SamplingParams.needs(of: request) == .tools)
        request.toolChoice = .none
        #expect(SamplingParams.needs(of: request) == .pastTools)
        request.turns.append(ChatTurn(.user, [.text("a"), .audio(Samples.media())]))
        #expect(SamplingParams.needs(of: request) == [.pastTools, .lists, .audio])
        request.turns.append(
            ChatTurn(.user, [.toolResult(ChatToolResult(id: "1", content: [.image(Samples.media())]))]))
        #expect(SamplingParams.needs(of: request) == [.pastTools, .lists, .audio, .imagesInResults])
        #expect(
            SamplingAbilities(takesTools: true, takesAudio: true).met == [
                .tools, .pastTools, .lists, .audio, .imagesInResults,
            ])
        #expect(SamplingAbilities(takesLists: false, takesImagesInResults: false).met == [])
    }

    @Test(arguments: ChatFaultKind.all) func `a fault is the same on the other side of the link`(kind: ChatFaultKind) {
        let fault = ChatFault(kind, "what", param: "p", retryAfter: 7, detail: "d", sourceWasAsked: true)
        #expect(ChatFault(fault.failure) == fault)
        #expect(ChatFault(ChatFailure("made_up", "what")).kind == .internal)
    }
}
