/// When an upstream's child or connection is started.
package enum StartPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// With the service, and kept warm.
    case eager
    /// With the first request that needs it.
    case lazy
}
