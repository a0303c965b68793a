/// Is told what becomes of the connection whose request it answers.
protocol ConnectionObserver: AnyObject {
    /// The client has gone away, or may be: nothing that is written from now on can be trusted to arrive.
    func clientGone()
    /// The service is stopping.
    func connectionDrains()
    /// What was written has been taken, but for a little.
    func connectionBecameWritable()
}

extension ConnectionObserver {
    func connectionBecameWritable() {}
}
