import BridgeConfiguration
import BridgeUpstream
import NIOCore
import NIOPosix

/// `config check --connect`: each server that is reached over HTTP, greeted once.
enum RemoteServers {
    /// Says of each what was found.
    ///
    /// - Returns: whether all are there.
    static func look(in configuration: BridgeConfiguration) -> Bool {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let checks = configuration.upstreams.compactMap { entry -> (String, EventLoopFuture<RemoteCheck.Outcome>)? in
            guard case .remote(let endpoint) = entry.target else { return nil }
            let texts = [endpoint.url.value] + endpoint.headers.values.map(\.value)
            if texts.contains(where: { $0.contains(Secret.mask) }) {
                StandardStreams.output("\(entry.name): not asked: its credential is given to the service alone\n")
                return nil
            }
            let settings = configuration.upstreamConfiguration(for: entry, version: BridgeVersion.text)
            return RemoteCheck.run(settings, on: loop).map { (entry.name, $0) }
        }
        var isReached = true
        for (name, check) in checks {
            let outcome = (try? check.wait()) ?? .failed("it could not be asked")
            if case .failed = outcome { isReached = false }
            StandardStreams.output("\(name): \(Self.words(outcome))\n")
        }
        return isReached
    }

    private static func words(_ outcome: RemoteCheck.Outcome) -> String {
        switch outcome {
        case .reached(let transport, let revision, let isEncrypted):
            "reached by \(transport), \(isEncrypted ? "with TLS" : "without TLS"), revision \(revision)"
        case .signInNeeded(let words): "sign-in needed: \(words)"
        case .failed(let reason): "not reached: \(reason)"
        }
    }
}
