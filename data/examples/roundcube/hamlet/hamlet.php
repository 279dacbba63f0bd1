<?php
/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Roundcube plugin: what people press with markasjunk teaches Hamlet, as what they are
 * told of it: the question of consent, and how to unsubscribe from a trusted sender. */

require_once __DIR__ . '/hamlet_client.php';

class hamlet extends rcube_plugin
{
    public $task = 'mail';

    private $client;

    public function init()
    {
        $this->load_config('config.inc.php.dist');
        $this->load_config();
        $this->register_action('plugin.hamlet.consent', [$this, 'consent']);

        $rcmail = rcmail::get_instance();
        if ($rcmail->action == '' || $rcmail->action == 'show') {
            $this->add_texts('localization', true);
            $this->include_script('hamlet.js');
        }
    }

    /* Called by the driver before markasjunk moves the messages. */
    public function report($label, array $uids, $source, $target)
    {
        $pressed = [
            'label' => $label,
            'event' => 'button',
            'from' => $this->kind_of_folder($source),
            'to' => $this->kind_of_folder($target),
            'selected' => count($uids),
        ];
        $answers = $this->post_messages($pressed, $uids, $source);
        $trusted = array_filter($answers, fn ($answer) => $answer['outcome'] === 'trusted');
        if ($trusted) {
            rcmail::get_instance()->output->command('plugin.hamlet.trusted', [
                'sender' => end($trusted)['trusted'],
                'unsubscribe' => end($trusted)['unsubscribe'] ?? [],
            ]);
            return;
        }
        $asking = array_filter($answers, fn ($answer) => $answer['consent'] === 'ask');
        if ($asking) {
            rcmail::get_instance()->output->command('plugin.hamlet.ask', [
                'label' => $label,
                'folder' => $target !== '' ? $target : $source,
                'messages' => array_values(array_filter(array_column($asking, 'message_id'))),
            ]);
        }
    }

    /* What the person answered. Granted, the reports that led to the question are
     * posted again, so that they teach everybody: the messages have new numbers since
     * they were moved, and are found by their Message-ID. */
    public function consent()
    {
        $answer = rcube_utils::get_input_string('_answer', rcube_utils::INPUT_POST);
        $label = rcube_utils::get_input_string('_label', rcube_utils::INPUT_POST);
        $folder = rcube_utils::get_input_string('_folder', rcube_utils::INPUT_POST, true);
        $ids = (array) rcube_utils::get_input_value('_messages', rcube_utils::INPUT_POST, true);
        $output = rcmail::get_instance()->output;

        if (!in_array($answer, ['granted', 'declined']) || !in_array($label, ['spam', 'ham'])) {
            $output->send();
        }
        try {
            $user = ['user' => $this->user()];
            $this->client()->post('/v1/consent', ['answer' => $answer] + $user);
            if ($answer === 'granted') {
                $this->post_messages(['label' => $label, 'event' => 'button'],
                    $this->find_messages($ids, $folder), $folder);
            }
            $this->add_texts('localization');
            $output->show_message($this->gettext("consent_$answer"), 'confirmation');
        } catch (RuntimeException $error) {
            $this->failed($error);
        }
        $output->send();
    }

    /* Posts messages of a folder; the answers, with the Message-ID of each. Stops at the
     * first failure, which is shown and logged. */
    private function post_messages(array $parameters, array $uids, $folder)
    {
        $storage = rcmail::get_instance()->get_storage();
        $storage->set_folder($folder);
        $answers = [];
        try {
            foreach ($uids as $uid) {
                $message = $storage->get_raw_body($uid);
                if (is_string($message) && $message !== '') {
                    $answers[] = $this->client()->post('/v1/report',
                        ['user' => $this->user()] + $parameters, $message)
                        + ['message_id' => $this->message_id($message)];
                }
            }
        } catch (RuntimeException $error) {
            $this->failed($error);
        }
        return $answers;
    }

    private function message_id($message)
    {
        $head = preg_split('/\r?\n\r?\n/', $message, 2)[0];
        return rcube_mime::parse_headers($head)['message-id'] ?? '';
    }

    private function find_messages(array $ids, $folder)
    {
        $storage = rcmail::get_instance()->get_storage();
        $uids = [];
        foreach (array_slice($ids, 0, 100) as $id) {
            $found = $storage->search_once($folder,
                'HEADER MESSAGE-ID ' . rcube_imap_generic::escape((string) $id));
            $uids = array_merge($uids, array_slice($found->get(), 0, 1));
        }
        return $uids;
    }

    private function kind_of_folder($name)
    {
        $config = rcmail::get_instance()->config;
        if ($name === 'INBOX') {
            return 'inbox';
        }
        if ($name === $config->get('markasjunk_spam_mbox', $config->get('junk_mbox'))) {
            return 'junk';
        }
        return $name === $config->get('trash_mbox') ? 'trash' : 'other';
    }

    private function user()
    {
        $rcmail = rcmail::get_instance();
        $name = $rcmail->get_user_name();
        [$local, $domain] = array_pad(explode('@', $name, 2), 2, '');
        return strtr($rcmail->config->get('hamlet_user'),
            ['%u' => $name, '%l' => $local, '%d' => $domain]);
    }

    private function client()
    {
        if (!$this->client) {
            $config = rcmail::get_instance()->config;
            $this->client = new hamlet_client($config->get('hamlet_socket'),
                $config->get('hamlet_url'), $config->get('hamlet_token'),
                $config->get('hamlet_timeout'));
        }
        return $this->client;
    }

    private function failed(RuntimeException $error)
    {
        rcube::raise_error([
            'code' => 600,
            'message' => 'hamlet: ' . $error->getMessage(),
        ], true, false);
        $this->add_texts('localization');
        rcmail::get_instance()->output->show_message($this->gettext('failed'), 'warning');
    }
}
