/// What makes the service public, so that everybody needs a token: then nobody counts as local because of where a request
/// seems to come from.
enum FrontDoorCheck {
    struct Finding: Hashable {
        let key: String
        let message: String
        let remedy: String
    }

    /// What other machines may reach the service by, each with its setting.
    static func publicPlaces(in settings: BridgeSettings) -> [(key: String, place: String)] {
        var places = settings.listen.filter { !$0.isLoopback }.map {
            ("listen", "'\($0)' can be reached from other machines")
        }
        places += settings.hosts.filter { !NetworkAddress.isLoopback($0) }.map { ("hosts", "'\($0)' is a public name") }
        if let host = settings.publicURL.flatMap(PublicURL.host(of:)), !NetworkAddress.isLoopback(host) {
            places.append(("publicURL", "'\(host)' is a public name"))
        }
        places += settings.trustedProxies.map { ("trustedProxies", "'\($0)' is a proxy, which speaks for others") }
        return places
    }

    /// One finding for each setting that lets others in where the operator has said that only they need a token: a request
    /// that comes through a proxy on this machine can look like one of this machine.
    static func findings(in settings: BridgeSettings) -> [Finding] {
        guard settings.requireToken == .remote else { return [] }
        return self.publicPlaces(in: settings).map { key, place in
            Finding(
                key: key, message: "\(place), and requireToken is 'remote': refused.",
                remedy:
                    "Leave 'requireToken' out: then everybody needs a token. Or stay on loopback, use the Unix socket, "
                    + "or put an SSH tunnel in front."
            )
        }
    }
}

extension BridgeSettings {
    /// Who needs a token. It is everybody as soon as anything public is configured.
    package var tokenRule: TokenRule {
        self.requireToken ?? (FrontDoorCheck.publicPlaces(in: self).isEmpty ? .remote : .always)
    }
}
