/// Whether text for people is coloured.
package enum TextColors: Hashable, Sendable {
    case off
    case on

    /// `NO_COLOR` (any text) and `MCPTB_NO_COLOR` win over `MCPTB_FORCE_COLOR`; without any of them a terminal decides.
    package init(environment: [String: String], isTerminal: Bool) {
        if environment["NO_COLOR"]?.isEmpty == false || Self.isSet(environment["MCPTB_NO_COLOR"]) {
            self = .off
        } else if Self.isSet(environment["MCPTB_FORCE_COLOR"]) {
            self = .on
        } else {
            self = isTerminal && environment["TERM"] != "dumb" ? .on : .off
        }
    }

    private static func isSet(_ value: String?) -> Bool {
        switch value?.lowercased() {
        case "1", "true", "yes", "on": true
        default: false
        }
    }
}
