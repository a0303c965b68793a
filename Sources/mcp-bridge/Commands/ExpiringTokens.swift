import BridgeAccess
import BridgeCore
import BridgeMCP
import Glibc

/// The tokens that end within a day, for `status`: whoever looks there has still time to make others.
struct ExpiringTokens {
    private let tokens: [TokenReport]

    /// Asks the service; one that does not answer has none to tell of.
    static func ask(control: String?) -> ExpiringTokens {
        let end = UTCTime(seconds: Int(time(nil)) + 86_400).text()
        let good = AccessClient(control: control).tokensOfService().filter { $0.state == .good }
        let soon = good.filter { token in token.expires.map { $0 < end } ?? false }
        return ExpiringTokens(tokens: soon.sorted { ($0.expires ?? "", $0.id) < ($1.expires ?? "", $1.id) })
    }

    /// For people.
    var lines: [String] {
        self.tokens.map { "Token \($0.id) (\(PrintableText.line($0.name))) expires at \($0.expires ?? "")." }
    }

    /// The status with these at its end.
    func added(to status: JSONText) -> JSONText {
        JSONWriter.object { body in
            status.members { key, value in body.member(key.string, status[value]) }
            body.memberArray("expiringTokens") { list in
                for token in self.tokens {
                    list.object {
                        $0.member("id", token.id)
                        $0.member("name", token.name)
                        $0.member("expires", ifPresent: token.expires)
                    }
                }
            }
        }
    }
}
