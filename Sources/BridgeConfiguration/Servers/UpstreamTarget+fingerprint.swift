import BridgeCore
import Crypto
import FoundationEssentials

extension UpstreamTarget {
    /// Differs when another program runs, or another server is called: made of command, arguments, folder and URL as they are
    /// written, so that no expanded value, which may be a secret, is in it. 16 hexadecimal digits.
    package var fingerprint: String {
        let parts: [String]
        switch self {
        case .stdio(let program):
            let folder = program.workingDirectory?.masked ?? ""
            parts = ["stdio", program.command.masked, folder] + program.arguments.map(\.masked)
        case .remote(let endpoint):
            parts = ["remote", endpoint.url.masked]
        }
        return SHA256.hash(data: Data(parts.joined(separator: "\u{0}").utf8)).prefix(8).hexadecimal
    }
}
