; An interpreter for a calculator with variables, written in Lisp.
(define (evaluate expression variables)
  (cond ((number? expression) expression)
        ((symbol? expression)
         (let ((found (assoc expression variables)))
           (if found (cdr found) (error "no variable" expression))))
        ((equal? (car expression) 'with)
         (let ((name (car (cdr expression)))
               (value (evaluate (car (cdr (cdr expression))) variables))
               (body (car (cdr (cdr (cdr expression))))))
           (evaluate body (cons (cons name value) variables))))
        (else
         (let ((function (cdr (assoc (car expression) operations))))
           (apply function
                  (map (lambda (e) (evaluate e variables))
                       (cdr expression)))))))

(define operations
  (list (cons '+ +) (cons '* *) (cons 'half (lambda (x) (/ x 2)))))

(evaluate '(with x (+ 1 2) (* x x x)) '())
(evaluate '(half (with x 9 (+ x x 1))) '())
(evaluate '(+ y 1) '((y . 41)))
(try (evaluate '(+ 1 z) '()) (lambda (message) (list 'caught message)))
