"""Transactions run by the published Python client; see harness.py for what answers them."""

import unittest

from dtmcli import msg, saga, tcc, utils

import harness


class ClientTest(unittest.TestCase):
    """One troth and one service for all tests; they keep apart by their gids."""

    @classmethod
    def setUpClass(cls):
        cls.troth, cls.service = harness.Troth(), harness.Service()
        cls.addClassCleanup(cls.troth.stop)
        cls.addClassCleanup(cls.service.stop)

    def setUp(self):
        self.gid = utils.gen_gid(self.troth.url)

    def expect(self, status, *calls):
        transaction = self.troth.await_status(self.gid, status)
        self.assertEqual(self.service.calls(self.gid), list(calls))
        return transaction


class MsgTest(ClientTest):
    def message(self):
        message = msg.Msg(self.troth.url, self.gid)
        message.add({"amount": 30}, self.service.url + "/in").add({"amount": 30}, self.service.url + "/notify")
        message.trans_base.retry_interval = 1
        return message.set_wait_result()

    def test_submit(self):
        self.message().submit()
        self.expect("succeed", "01 action", "02 action")
        self.assertEqual(self.service.bodies(self.gid), [{"amount": 30}] * 2)

    def test_a_branch_that_refuses_is_asked_again(self):
        self.service.script(self.gid, "02 action", 409, 500, 200)
        with self.assertRaises(utils.DTMFailureError):
            self.message().submit()
        self.expect("succeed", "01 action", "02 action", "02 action", "02 action")

    def test_do_and_submit(self):
        self.message().do_and_submit(self.service.url + "/check", lambda barrier: None)
        self.expect("succeed", "01 action", "02 action")

    def test_the_local_part_refuses(self):
        def refuse(_):
            raise utils.DTMFailureError("no money")

        with self.assertRaises(utils.DTMFailureError):
            self.message().do_and_submit(self.service.url + "/check", refuse)
        self.expect("failed")

    def test_the_local_part_is_unknown(self):
        def lose(_):
            raise ConnectionError("the database is gone")

        with self.assertRaises(ConnectionError):  # the client asks the check itself, and submits
            self.message().do_and_submit(self.service.url + "/check", lose)
        self.expect("succeed", "00 msg", "01 action", "02 action")

    def test_the_client_is_gone_after_prepare(self):
        message = self.message()
        message.trans_base.timeout_to_fail = 1
        self.service.script(self.gid, "00 msg", 425, 200)
        message.prepare(self.service.url + "/check")
        self.expect("succeed", "00 msg", "00 msg", "01 action", "02 action")


class SagaTest(ClientTest):
    def saga(self):
        transfer = saga.Saga(self.troth.url, self.gid)
        for step in ("/out", "/in"):
            transfer.add({"amount": 30}, self.service.url + step, self.service.url + step + "-undo")
        transfer.trans_base.wait_result = True
        transfer.trans_base.retry_interval = 1
        return transfer

    def test_submit(self):
        self.saga().submit()
        self.expect("succeed", "01 action", "02 action")

    def test_a_step_refuses(self):
        self.service.script(self.gid, "02 action", 409)
        with self.assertRaises(utils.DTMFailureError):
            self.saga().submit()
        transaction = self.expect("failed", "01 action", "02 action", "02 compensate", "01 compensate")
        self.assertEqual(transaction["rollback_reason"],
                         "url:%s/in return failed: no money FAILURE" % self.service.url)

    def test_ongoing_and_unknown_are_asked_again(self):
        self.service.script(self.gid, "01 action", 425, 500, 200)
        with self.assertRaises(utils.DTMFailureError):  # 409: not finished within the first pass
            self.saga().submit()
        self.expect("succeed", "01 action", "01 action", "01 action", "02 action")


class TccTest(ClientTest):
    def run_tcc(self):
        def branches(transfer):
            for step in ("/out", "/in"):
                url = self.service.url + step
                transfer.call_branch({"amount": 30}, url + "-try", url + "-confirm", url + "-cancel")

        return tcc.tcc_global_transaction(self.troth.url, self.gid, branches)

    def test_confirmed(self):
        self.assertEqual(self.run_tcc(), self.gid)
        self.expect("succeed", "01 try", "02 try", "02 confirm", "01 confirm")
        self.assertEqual(self.service.bodies(self.gid), [{"amount": 30}] * 4)

    def test_cancelled(self):
        self.service.script(self.gid, "02 try", 409)
        self.assertEqual(self.run_tcc(), "")
        self.expect("failed", "01 try", "02 try", "02 cancel", "01 cancel")

    def test_confirm_is_asked_again(self):
        self.service.script(self.gid, "01 confirm", 425, 200)
        self.assertEqual(self.run_tcc(), self.gid)
        self.expect("succeed", "01 try", "02 try", "02 confirm", "01 confirm", "01 confirm")


if __name__ == "__main__":
    unittest.main()
