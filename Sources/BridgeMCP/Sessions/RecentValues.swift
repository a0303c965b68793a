/// A cache that forgets what has not been used for long. Pure.
///
/// It holds between one and two times ``capacity`` entries: when the younger half is full, the older one is forgotten, and
/// whatever of it is used again until then becomes young.
package struct RecentValues<Key: Hashable, Value> {
    package let capacity: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    package init(capacity: Int) { self.capacity = capacity }

    package var count: Int { self.young.count + self.old.count }

    package subscript(key: Key) -> Value? {
        mutating get {
            if let value = self.young[key] { return value }
            guard let value = self.old.removeValue(forKey: key) else { return nil }
            self.insert(value, for: key)
            return value
        }
        set {
            self.old[key] = nil
            guard let newValue else {
                self.young[key] = nil
                return
            }
            self.insert(newValue, for: key)
        }
    }

    private mutating func insert(_ value: Value, for key: Key) {
        if self.young.count >= self.capacity, self.young[key] == nil {
            self.old = self.young
            self.young = [:]
        }
        self.young[key] = value
    }
}

extension RecentValues: Sendable where Key: Sendable, Value: Sendable {}
