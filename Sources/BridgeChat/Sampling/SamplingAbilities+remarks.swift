package import BridgeCore

extension SamplingAbilities {
    /// What the source is sent, and is known to take no notice of. Stop sequences are not among it: texts are cut here.
    ///
    /// - Parameters:
    ///   - params: the request's.
    ///   - limitsLength: whether the client has limited how long the answer may be.
    package func overlooked(in params: JSONText, limitsLength: Bool) -> ChatRemarks {
        var remarks = ChatRemarks()
        guard self.overlooksNumbers else { return remarks }
        if params.member("temperature") != nil { remarks.ignore("temperature") }
        if limitsLength { remarks.ignore("max_tokens") }
        return remarks
    }
}
