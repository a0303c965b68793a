import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Why nothing can be sent to a server.
struct HTTPTargetError: Error, Equatable {
    let reason: String
}

/// What the configuration says of a server, as requests and connections need it.
extension RemoteTarget {
    /// The endpoint, with the user's headers.
    var destination: MCPDestination {
        get throws(HTTPTargetError) {
            guard let address = HTTPAddress(self.url.value) else {
                throw HTTPTargetError(reason: "its 'url' is no address of a server")
            }
            return MCPDestination(address, headers: self.fields)
        }
    }

    var fields: HTTPHeaders {
        var fields = HTTPHeaders(self.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) })
        if !fields.contains(name: "User-Agent") { fields.add(name: "User-Agent", value: "mcp-bridge") }
        if let (user, password) = self.userInfo, !fields.contains(name: "Authorization") {
            let pair = Data("\(user):\(password)".utf8).base64EncodedString()
            fields.add(name: "Authorization", value: "Basic \(pair)")
        }
        return fields
    }

    /// What must never be shown, in any form that a server may give back.
    var secrets: [String] {
        var secrets = self.headers.values.map(\.value)
        if let userInfo { secrets += [userInfo.password] }
        if let password = self.proxy?.password?.value { secrets.append(password) }
        secrets += self.fields["Authorization"]
        // Some have the key in the path.
        secrets += HTTPAddress(self.url.value)?.secretSegments ?? []
        // What follows a '?' is often a key.
        if let query = self.url.value.split(separator: "?", maxSplits: 1).dropFirst().first {
            let values: [String] = query.split(separator: "&").compactMap {
                $0.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init)
            }
            secrets += values
            // As servers read them: a plus may be a blank.
            secrets += values.compactMap { PercentCoding.decode($0) }
            secrets += values.compactMap { PercentCoding.decode($0.replacing("+", with: " ")) }
        }
        return secrets
    }

    /// User and password that stand in the address.
    private var userInfo: (user: String, password: String)? {
        guard let scheme = self.url.value.firstRange(of: "://") else { return nil }
        let authority = self.url.value[scheme.upperBound...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let decoded = parts.map { PercentCoding.decode(String($0)) ?? String($0) }
        return (decoded.first ?? "", decoded.count > 1 ? decoded[1] : "")
    }

    /// Reads the file of certificates, where there is one.
    var connectionSettings: HTTPConnectionSettings {
        get throws(HTTPTargetError) {
            var settings = HTTPConnectionSettings()
            if let path = self.authorities {
                do {
                    settings.trust = try HTTPTrust(authoritiesIn: path)
                } catch {
                    throw HTTPTargetError(reason: "the certificates of tls.ca cannot be read (\(path)): \(error)")
                }
            } else if self.trustsAnybody {
                settings.trust = .anybody
            }
            settings.proxy = self.proxy?.connection
            return settings
        }
    }

    /// What people should know of how it is reached.
    var notes: [String] {
        var notes: [String] = []
        if let proxy { notes.append("it is reached through the proxy \(proxy.connection)") }
        if self.trustsAnybody { notes.append("its certificate is not looked at (tls.insecure)") }
        return notes
    }
}

extension RemoteTarget.Proxy {
    var connection: HTTPProxy {
        HTTPProxy(
            self.kind == .socks ? .socks : .http, host: self.host, port: self.port, user: self.user,
            password: self.password?.value)
    }
}
