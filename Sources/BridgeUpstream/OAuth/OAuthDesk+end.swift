import BridgeOAuth
import NIOCore

/// The desk's end. What is under way then may be the only good token there is.
extension OAuthDesk {
    /// It begins nothing more. What is under way is finished and written, then it is closed; see ``whenClosed(within:_:)``.
    func end() {
        guard !self.isEnded else { return }
        self.isEnded = true
        self.alarm?.cancel()
        self.save()
        if !(self.signIn?.isFinishing ?? false) { self.giveUpSignIn("the worker ends") }
        self.releaseSettled()
        self.closeWhenDone()
    }

    /// Each step has a limit of its own, so it comes to that.
    func closeWhenDone() {
        guard self.isEnded, !self.isClosed, self.flight == nil, self.signIn == nil, self.changes.isEmpty,
            !self.isWriting, !self.isSaving
        else { return }
        self.isClosed = true
        self.http.shutDown()
        self.files.shutDown()
        let told = self.onClosed
        self.onClosed = []
        for tell in told { tell() }
    }

    /// Calls back once: when nothing of it is under way any more, or after a time.
    func whenClosed(within limit: TimeAmount, _ body: @escaping () -> Void) {
        guard !self.isClosed else { return body() }
        var waiting: (() -> Void)? = body
        let tell = {
            waiting?()
            waiting = nil
        }
        let alarm = self.loop.assumeIsolated().scheduleTask(in: limit, tell)
        self.onClosed.append {
            alarm.cancel()
            tell()
        }
    }
}
