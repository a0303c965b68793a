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
