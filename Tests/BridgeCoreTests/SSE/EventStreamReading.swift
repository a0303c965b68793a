import NIOCore

@testable import BridgeCore

/// Reads a stream that comes in these pieces.
func events(
    in pieces: [some Collection<UInt8>], maximumEvent: Int = 1 << 20
) throws -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    let processor = NIOSingleStepByteToMessageProcessor(ServerSentEventDecoder(maximumEvent: maximumEvent))
    for piece in pieces {
        try processor.process(buffer: ByteBuffer(bytes: piece)) { events.append($0) }
    }
    try processor.finishProcessing(seenEOF: true) { events.append($0) }
    return events
}

/// Cut at these places.
func pieces(of bytes: [UInt8], at cuts: [Int]) -> [ArraySlice<UInt8>] {
    zip([0] + cuts, cuts + [bytes.count]).map { bytes[$0..<$1] }
}
