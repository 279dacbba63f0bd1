/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What a person is asked or told after a press. */
'use strict';

(function() {
    function text(name) {
        return rcmail.get_label(name, 'hamlet');
    }

    function paragraph(words) {
        return $('<p>').text(words);
    }

    function ask_for_consent(question) {
        var answered = function(answer) {
            var data = {_answer: answer, _label: question.label, _folder: question.folder,
                _messages: question.messages};
            rcmail.http_post('plugin.hamlet.consent', data,
                rcmail.set_busy(true, 'loading'));
        };
        var dialog;
        var button = function(label, classes, answer) {
            return {
                text: text(label),
                'class': classes,
                click: function() {
                    dialog.dialog('close');
                    if (answer)
                        answered(answer);
                }
            };
        };
        dialog = rcmail.show_popup_dialog(
            $('<div id="hamlet-consent">')
                .append(paragraph(text('consent_question')))
                .append(paragraph(text('consent_details'))),
            text('consent_title'), [
                button('consent_yes', 'mainaction save', 'granted'),
                button('consent_no', 'cancel', 'declined'),
                button('consent_later', 'cancel', null)
            ], {width: 480, height: 160});
    }

    /* RFC 8058: the POST is sent by the browser, without cookies; its answer may not be
     * read across sites, and is not needed. */
    function unsubscribe_at_once(url, done) {
        fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'omit',
            referrerPolicy: 'no-referrer', body: new URLSearchParams('List-Unsubscribe=One-Click')
        }).then(function() {
            rcmail.display_message(text('unsubscribed'), 'confirmation');
            done();
        }, function() {
            window.open(url, '_blank', 'noopener,noreferrer');
        });
    }

    /* The best of the ways that the message offers: what the button does, and, unless the
     * sender has signed the way, where it leads, for the person to see. Null when none is. */
    function way_out(targets) {
        var with_scheme = function(scheme) {
            return targets.filter(function(target) { return target.url.indexOf(scheme) === 0; });
        };
        var pages = with_scheme('https://'), mails = with_scheme('mailto:');
        var at_once = pages.filter(function(target) { return target.one_click; });

        if (at_once.length)
            return {go: function(done) { unsubscribe_at_once(at_once[0].url, done); }};
        if (pages.length)
            return {url: pages[0].url, go: function(done) {
                window.open(pages[0].url, '_blank', 'noopener,noreferrer');
                done();
            }};
        if (mails.length)
            return {url: mails[0].url, go: function(done) {
                rcmail.open_compose_step({_to: mails[0].url});
                done();
            }};
        return null;
    }

    function tell_of_trusted(answer) {
        var leave = way_out(answer.unsubscribe), dialog, buttons = [];
        var close = function() { dialog.dialog('close'); };

        if (leave)
            buttons.push({text: text('unsubscribe'), 'class': 'mainaction send',
                click: function() { leave.go(close); }});
        buttons.push({text: text('close'), 'class': 'cancel', click: close});
        dialog = rcmail.show_popup_dialog(
            $('<div id="hamlet-trusted">')
                .append(paragraph(text('trusted').replace('$sender', answer.sender)))
                .append(leave ? paragraph(text('trusted_leave')) : '')
                .append(leave && leave.url ? paragraph(leave.url) : ''),
            text('trusted_title'), buttons, {width: 480, height: 130});
    }

    if (window.rcmail) {
        rcmail.addEventListener('plugin.hamlet.ask', ask_for_consent);
        rcmail.addEventListener('plugin.hamlet.trusted', tell_of_trusted);
    }
})();
