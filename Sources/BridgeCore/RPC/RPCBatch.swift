/// An array of JSON-RPC messages.
package enum RPCBatch {
    package static let maximumMessages = 100
    /// What a client is told whose batch has none, or more than ``maximumMessages``.
    package static let limit = "A batch holds 1 to 100 messages, a fixed limit"

    private enum Stop: Error {
        case tooMany
        case bad(RPCError)
    }

    /// The messages of an array, which is not read any further once there are too many.
    ///
    /// - Returns: `nil` when there are none, or too many.
    package static func messages(of array: JSONText) throws(RPCError) -> [RPCMessage]? {
        var messages: [RPCMessage] = []
        do {
            try array.elements { element in
                guard messages.count < Self.maximumMessages else { throw Stop.tooMany }
                do throws(RPCError) { messages.append(try RPCMessage(array[element])) } catch { throw Stop.bad(error) }
            }
        } catch Stop.bad(let error) {
            throw error
        } catch {
            return nil
        }
        return messages.isEmpty ? nil : messages
    }
}
