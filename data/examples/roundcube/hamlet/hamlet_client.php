<?php
/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Speaks to hamletd: the HTTP API that data/openapi.json describes. */

class hamlet_client
{
    private $curl;
    private $url;

    /* `socket` is the path of hamletd's HTTP socket; "" when `url` is elsewhere, where
     * `token` is the content of its http-token-file. */
    public function __construct($socket, $url, $token, $seconds)
    {
        $this->url = rtrim($url, '/');
        $this->curl = curl_init();
        $headers = ['Content-Type: message/rfc822', 'Expect:'];
        if ($socket !== '') {
            curl_setopt($this->curl, CURLOPT_UNIX_SOCKET_PATH, $socket);
        } else {
            $headers[] = 'Authorization: Bearer ' . $token;
        }
        curl_setopt_array($this->curl, [
            CURLOPT_HTTPHEADER => $headers,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => $seconds,
            CURLOPT_PROXY => '',
        ]);
    }

    /* Posts `body` to a path; the JSON of the answer as an array. Throws a
     * RuntimeException with hamletd's words, or with why it was not reached. */
    public function post($path, array $parameters, $body = '')
    {
        $query = http_build_query($parameters, '', '&', PHP_QUERY_RFC3986);
        curl_setopt($this->curl, CURLOPT_URL, "$this->url$path?$query");
        curl_setopt($this->curl, CURLOPT_POST, true);
        curl_setopt($this->curl, CURLOPT_POSTFIELDS, $body);
        $text = curl_exec($this->curl);
        if ($text === false) {
            throw new RuntimeException(curl_error($this->curl));
        }
        $answer = json_decode($text, true);
        $code = curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        if ($code !== 200 || !is_array($answer)) {
            throw new RuntimeException("$code " . ($answer['detail'] ?? 'no JSON'));
        }
        return $answer;
    }
}
