import BridgeConfiguration
import BridgeCore
import NIOCore

@testable import BridgeOAuth
