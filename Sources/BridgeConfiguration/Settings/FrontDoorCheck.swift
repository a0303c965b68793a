/// Keeps the service on loopback for as long as nothing but the address guards it.
enum FrontDoorCheck {
    struct Finding: Hashable {
        let key: String
        let message: String
        let remedy: String
    }

    private static let remedy =
        "This version has no tokens: listen on loopback, use the Unix socket, or put an SSH tunnel in front."

    /// One finding for each setting that would let other machines in.
    static func findings(in settings: BridgeSettings, hasTokens: Bool) -> [Finding] {
        guard !hasTokens else { return [] }
        var findings: [Finding] = []
        for address in settings.listen where !address.isLoopback {
            findings.append(
                Finding(
                    key: "listen",
                    message: "'\(address)' can be reached from other machines, and no token guards it: refused.",
                    remedy: Self.remedy
                )
            )
        }
        for host in settings.hosts where !NetworkAddress.isLoopback(host) {
            findings.append(Self.publicName(host, key: "hosts"))
        }
        if let host = settings.publicURL.flatMap(PublicURL.host(of:)), !NetworkAddress.isLoopback(host) {
            findings.append(Self.publicName(host, key: "publicURL"))
        }
        return findings
    }

    /// The origins of other machines that the operator lists: they may ask, and without a token may do nothing. The standard
    /// list as a whole is not his; it is for the day when there are tokens.
    static func originsWithoutEffect(in settings: BridgeSettings, hasTokens: Bool) -> [OriginPattern] {
        hasTokens || settings.origins == OriginPattern.standard ? [] : settings.origins.filter { !$0.isOfThisMachine }
    }

    static func withoutEffect(_ origin: OriginPattern) -> String {
        "'\(origin.rawValue)' is no origin of this machine: it may ask, but every request that it makes needs a token, "
            + "and this version has none."
    }

    static let withoutEffectRemedy =
        "Until there are tokens, only pages of 'localhost' and of loopback addresses are served."

    private static func publicName(_ host: String, key: String) -> Finding {
        Finding(
            key: key,
            message:
                "'\(host)' is a public name, which counts as listening beyond loopback, and no token guards it: "
                + "refused.",
            remedy: Self.remedy
        )
    }
}
