import Glibc

/// A Unix socket without any manners, for playing peers that have none. Calls block.
struct RawSocket: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    static func listening(at path: String, backlog: Int32 = 128) throws -> RawSocket {
        let socket = try RawSocket.make()
        var address = try Self.address(path)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(socket.descriptor, backlog) == 0 else { throw SystemError("bind") }
        return socket
    }

    static func connected(to path: String) throws -> RawSocket {
        let socket = try RawSocket.make()
        var address = try Self.address(path)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemError("connect") }
        return socket
    }

    static func pair() throws -> (RawSocket, RawSocket) {
        var descriptors: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors) == 0 else {
            throw SystemError("socketpair")
        }
        return (RawSocket(descriptor: descriptors[0]), RawSocket(descriptor: descriptors[1]))
    }

    func accept() throws -> RawSocket {
        let accepted = Glibc.accept(self.descriptor, nil, nil)
        guard accepted >= 0 else { throw SystemError("accept") }
        return RawSocket(descriptor: accepted)
    }

    /// Another descriptor of the same socket, which outlives this one.
    func duplicate() -> RawSocket { RawSocket(descriptor: dup(self.descriptor)) }

    /// Writes what the peer takes; a peer that has hung up takes no more.
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads until the peer hangs up; returns how much there was.
    @discardableResult
    func readToEnd() -> Int {
        var total = 0
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(self.descriptor, &room, room.count, 0)
            guard count > 0 else { return total }
            total += count
        }
    }

    /// Reads exactly one frame, its length field included.
    func readFrame() throws -> [UInt8] {
        let head = try self.read(4)
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        return head + (try self.read(length))
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let got = bytes.withUnsafeMutableBytes { room in
                let rest = UnsafeMutableRawBufferPointer(rebasing: room[have...])
                return recv(self.descriptor, rest.baseAddress, rest.count, 0)
            }
            guard got > 0 else { throw SystemError("recv") }
            have += got
        }
        return bytes
    }

    func close() { Glibc.close(self.descriptor) }

    private static func make() throws -> RawSocket {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return RawSocket(descriptor: descriptor)
    }

    private static func address(_ path: String) throws -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw SystemError("path") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }
}
