/// What a client of the front may cost.
package struct FrontLimits: Sendable, Hashable, Codable {
    /// Request line and headers together, in bytes; more is 431.
    package var maximumHeaderBytes: Int
    /// A request's body, in bytes; more is 413. Results are not limited by it.
    package var maximumBodyBytes: Int
    /// The same for requests of the model APIs, which hold whole conversations with their images.
    package var maximumChatBytes: Int
    /// Bodies of requests under way, and as much of answers that wait to be read, of all clients together, in bytes.
    package var maximumHeldBytes: Int
    /// Connections open at once. A further one takes the place of one that idles, or is refused with 503.
    package var maximumConnections: Int
    /// From the first byte of a request to the end of its headers.
    package var headerTimeout: Seconds
    /// From the end of the headers to the end of the body.
    package var bodyTimeout: Seconds
    /// Between two requests on a connection.
    package var idleTimeout: Seconds
    /// How long a client may leave written bytes unread.
    package var slowReadTimeout: Seconds
    /// How long a connection is kept half-open after our last byte, so that the client reads it before a reset.
    package var linger: Seconds

    package init(
        maximumHeaderBytes: Int = 65_536,
        maximumBodyBytes: Int = 4 << 20,
        maximumChatBytes: Int = 32 << 20,
        maximumHeldBytes: Int = 256 << 20,
        maximumConnections: Int = 4_096,
        headerTimeout: Seconds = 10,
        bodyTimeout: Seconds = 30,
        idleTimeout: Seconds = 75,
        slowReadTimeout: Seconds = 60,
        linger: Seconds = 0.5
    ) {
        self.maximumHeaderBytes = maximumHeaderBytes
        self.maximumBodyBytes = maximumBodyBytes
        self.maximumChatBytes = maximumChatBytes
        self.maximumHeldBytes = maximumHeldBytes
        self.maximumConnections = maximumConnections
        self.headerTimeout = headerTimeout
        self.bodyTimeout = bodyTimeout
        self.idleTimeout = idleTimeout
        self.slowReadTimeout = slowReadTimeout
        self.linger = linger
    }
}
