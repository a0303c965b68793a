import NIOSSL

/// Whom a TLS connection is believed.
package struct HTTPTrust: Sendable {
    let authorities: [NIOSSLCertificate]
    let isBlind: Bool

    /// Whom the system trusts.
    package static let system = HTTPTrust(authorities: [], isBlind: false)
    /// Anybody.
    package static let anybody = HTTPTrust(authorities: [], isBlind: true)

    private init(authorities: [NIOSSLCertificate], isBlind: Bool) {
        self.authorities = authorities
        self.isBlind = isBlind
    }

    /// Whom the system trusts, and these authorities beside.
    ///
    /// - Parameter path: a PEM file of one or more certificates.
    package init(authoritiesIn path: String) throws {
        let found = try NIOSSLCertificate.fromPEMFile(path)
        guard !found.isEmpty else { throw NoCertificate() }
        self.init(authorities: found, isBlind: false)
    }

    package struct NoCertificate: Error, CustomStringConvertible {
        package var description: String { "no certificate is in it" }
    }

    /// `nil`: as the library does by itself.
    var tlsConfiguration: TLSConfiguration? {
        guard self.isBlind || !self.authorities.isEmpty else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if self.isBlind { configuration.certificateVerification = .none }
        if !self.authorities.isEmpty { configuration.additionalTrustRoots = [.certificates(self.authorities)] }
        return configuration
    }
}
