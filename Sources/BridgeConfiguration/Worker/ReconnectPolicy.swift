/// How the delay before another attempt at an upstream grows: `base`, doubling, up to `maximum`.
package struct ReconnectPolicy: Sendable, Hashable, Codable {
    package var base: Seconds
    package var maximum: Seconds

    package init(base: Seconds = 1, maximum: Seconds = 60) {
        self.base = base
        self.maximum = maximum
    }
}
