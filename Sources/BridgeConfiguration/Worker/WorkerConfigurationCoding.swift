import FoundationEssentials
package import NIOCore

/// The JSON form in which worker configurations travel over the control link and lie in `--config-frame` files.
///
/// The supervisor and its workers are the same executable, so every member is required: a frame that does not fit is a
/// mistake, not another version.
package enum WorkerConfigurationCoding {
    /// Secrets are written in the clear: the frame goes to the worker and nowhere else.
    package static func encode(_ configuration: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(configuration))
    }

    package static func decode<Configuration: Decodable>(
        _ type: Configuration.Type,
        from bytes: ByteBuffer
    ) throws -> Configuration {
        try JSONDecoder().decode(type, from: Data(bytes.readableBytesView))
    }
}
