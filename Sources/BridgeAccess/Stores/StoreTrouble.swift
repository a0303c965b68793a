/// Why what is kept cannot be read or changed at the moment. Nothing has been changed then.
package struct StoreTrouble: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case corrupt
        case readOnly
        case full
        /// Another program holds it.
        case locked
        /// A later version of this program has made it.
        case laterVersion
        /// Its hashes were made with another key: no secret would ever be found.
        case otherKey
        /// It takes nothing more at the moment.
        case busy
        /// Anything else: a folder that is not there, a file of somebody else's.
        case unreachable
    }

    package let kind: Kind
    /// A whole sentence, with what to do about it.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Takes what a store has found or done, once, on a thread of the store's.
package typealias StoreAnswer<Value> = @Sendable (Result<Value, StoreTrouble>) -> Void
