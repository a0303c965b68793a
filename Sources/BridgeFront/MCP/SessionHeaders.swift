import BridgeCore
import NIOCore

/// The headers of the exchanges that the front opens to the session worker.
enum SessionHeaders {
    /// - Parameter names: how this client wants names to be shown; from the address it uses.
    static func post(
        _ id: RequestID, _ fields: RequestFields, principal: String, names: String?, isLogged: Bool
    ) -> JSONText {
        var buffer = Self.open("{\"op\":\"post\",\"rid\":\"", id)
        Self.member(",\"sid\":", fields.sessionID, &buffer)
        Self.member(",\"ver\":", fields.protocolVersion, &buffer)
        Self.member(",\"who\":", principal, &buffer)
        Self.member(",\"names\":", names, &buffer)
        if isLogged { buffer.writeStaticString(",\"log\":true") }
        buffer.writeStaticString("}")
        return JSONText(trusting: buffer)
    }

    static func get(_ id: RequestID, _ fields: RequestFields, principal: String, isLogged: Bool) -> JSONText {
        var buffer = Self.open("{\"op\":\"get\",\"rid\":\"", id)
        Self.member(",\"sid\":", fields.sessionID, &buffer)
        Self.member(",\"ver\":", fields.protocolVersion, &buffer)
        Self.member(",\"who\":", principal, &buffer)
        Self.member(",\"leid\":", fields.lastEventID, &buffer)
        if isLogged { buffer.writeStaticString(",\"log\":true") }
        buffer.writeStaticString("}")
        return JSONText(trusting: buffer)
    }

    static func delete(_ id: RequestID, _ fields: RequestFields, principal: String) -> JSONText {
        var buffer = Self.open("{\"op\":\"delete\",\"rid\":\"", id)
        Self.member(",\"sid\":", fields.sessionID, &buffer)
        Self.member(",\"who\":", principal, &buffer)
        buffer.writeStaticString("}")
        return JSONText(trusting: buffer)
    }

    static func tools(_ id: RequestID) -> JSONText {
        var buffer = Self.open("{\"op\":\"tools\",\"rid\":\"", id)
        buffer.writeStaticString("}")
        return JSONText(trusting: buffer)
    }

    private static func open(_ start: StaticString, _ id: RequestID) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(320)
        buffer.writeStaticString(start)
        id.write(to: &buffer)
        buffer.writeStaticString("\"")
        return buffer
    }

    private static func member(_ key: StaticString, _ value: String?, _ buffer: inout ByteBuffer) {
        guard let value else { return }
        buffer.writeStaticString(key)
        buffer.writeJSONString(value)
    }
}
