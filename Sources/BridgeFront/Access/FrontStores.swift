package import BridgeAccess

/// What the front keeps on the disk, and the key to it. Without them there are no tokens.
package struct FrontStores: Sendable {
    package let key: TokenKey
    package let store: any AccessStore

    package init(key: TokenKey, store: any AccessStore) {
        self.key = key
        self.store = store
    }
}
