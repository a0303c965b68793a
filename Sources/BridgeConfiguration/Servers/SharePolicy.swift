/// How far one upstream session or child is shared.
package enum SharePolicy: String, Sendable, Hashable, Codable, CaseIterable {
    case all, principal, session
}
