package import BridgeCore
import NIOCore

// The form in which a request goes from whoever reads its dialect to whoever knows its source.
extension SamplingParams {
    /// The params for a source that takes everything, without what is said of models and length (`fitted` adds that). The
    /// remarks are those for any source.
    package init(neutral request: ChatRequest) throws(ChatFault) {
        try self.init(request, SamplingAbilities(takesTools: true, takesAudio: true))
    }

    /// What neutral params of a request need of a source.
    package static func needs(of request: ChatRequest) -> ChatNeeds {
        var needs: ChatNeeds = request.tools.isEmpty ? [] : request.callableTools.isEmpty ? .pastTools : .tools
        for turn in request.turns {
            if turn.blocks.count > 1 { needs.insert(.lists) }
            for block in turn.blocks {
                switch block {
                case .content(.audio): needs.insert(.audio)
                case .content: break
                case .toolUse: needs.insert(.pastTools)
                case .toolResult(let result):
                    needs.insert(.pastTools)
                    Self.add(result, to: &needs)
                }
            }
        }
        return needs
    }

    private static func add(_ result: ChatToolResult, to needs: inout ChatNeeds) {
        for content in result.content {
            switch content {
            case .text: break
            case .image: needs.insert(.imagesInResults)
            case .audio: needs.insert(.audio)
            }
        }
    }

    /// Neutral params as a source takes them. What it takes as it is, is copied as it is.
    ///
    /// - Parameter needs: of the request that they were made of.
    /// - Throws: what the source cannot do. Nobody has been asked then.
    package static func fitted(
        _ neutral: JSONText, needs: ChatNeeds, to abilities: SamplingAbilities, preferences: ModelPreferences,
        maximumTokens: Int
    ) throws(ChatFault) -> (text: JSONText, remarks: ChatRemarks) {
        guard needs.isSubset(of: abilities.met), !abilities.isModern else {
            let request = try SamplingParams.read(neutral)
            let params = try SamplingParams(
                request, preferences: preferences, maximumTokens: maximumTokens, abilities: abilities)
            return (params.text, params.remarks)
        }
        let head = JSONWriter.object { params in
            preferences.write(to: &params)
            params.member("maxTokens", maximumTokens)
        }
        var text = head.bytes
        // Neutral params always have messages: there is something behind the brace.
        text.moveWriterIndex(to: text.writerIndex - 1)
        text.writeString(",")
        var rest = neutral.bytes
        rest.moveReaderIndex(forwardBy: 1)
        text.writeImmutableBuffer(rest)
        return (JSONText(trusting: text), ChatRemarks())
    }
}

extension SamplingAbilities {
    /// The needs that it meets as they are.
    package var met: ChatNeeds {
        var met: ChatNeeds = []
        if self.takesTools { met.formUnion([.tools, .pastTools]) }
        if self.takesLists { met.insert(.lists) }
        if self.takesAudio { met.insert(.audio) }
        if self.takesImagesInResults { met.insert(.imagesInResults) }
        return met
    }
}
