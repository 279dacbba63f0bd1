<?php
/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Learning driver of Roundcube's markasjunk: hands a press to the plugin hamlet.
 * Belongs into plugins/markasjunk/drivers/. */

class markasjunk_hamlet
{
    public $is_error;

    public function spam(&$uids, $source, $target)
    {
        $this->report('spam', $uids, $source, $target);
    }

    public function ham(&$uids, $source, $target)
    {
        $this->report('ham', $uids, $source, $target);
    }

    /* Whatever hamletd says, the person's messages are moved: is_error stays unset. */
    private function report($label, $uids, $source, $target)
    {
        $hamlet = rcube::get_instance()->plugins->get_plugin('hamlet');
        if ($hamlet) {
            $hamlet->report($label, (array) $uids, $source, (string) $target);
        }
    }
}
